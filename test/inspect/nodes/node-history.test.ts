import { expect } from 'chai'
import type { FluxError } from '../../../src/errors/index.ts'
import { drainedNodes, instanceResources, nodeHistory } from '../../../src/inspect/index.ts'
import { eventlog, readerOf } from '../../support/resource-trees.ts'
import { dir, type Tree, valref } from '../../support/trees.ts'

async function spansOf(entries: Record<string, Tree>) {
  const { spans } = await nodeHistory(readerOf(entries))
  return spans.map(({ rank, state, from, to = null, reason = '' }) => [rank, state, from, to, reason])
}

describe('inspect/nodes nodeHistory', () => {
  it('makes spans of drains, each with its reason', async () => {
    const log = eventlog(
      [1, 'drain', { idset: '1-2', nodelist: 'n[1-2]', reason: 'disk', overwrite: 0 }],
      [2, 'drain', { idset: '2', nodelist: 'n2', reason: 'other', overwrite: 0 }],
      [3, 'drain', { idset: '2', nodelist: 'n2', reason: 'memory', overwrite: 1 }],
      [4, 'undrain', { idset: '1', nodelist: 'n1' }],
      [5, 'drain', { idset: '1', nodelist: 'n1', overwrite: 0 }],
    )
    const entries = { resource: dir({ eventlog: log }) }
    expect(await spansOf(entries)).to.deep.equal([
      [1, 'drained', 1, 4, 'disk'],
      [1, 'drained', 5, null, ''],
      [2, 'drained', 1, 3, 'disk'],
      [2, 'drained', 3, null, 'memory'],
    ])
    const drained = await drainedNodes(readerOf(entries))
    expect(drained.map(({ rank }) => rank)).to.deep.equal([1, 2])
  })

  it('makes spans of nodes that were down, from old logs', async () => {
    const log = eventlog(
      [1, 'restart', { ranks: '0-3', online: '0', nodelist: 'n[0-3]' }],
      [2, 'online', { idset: '1-2' }],
      [3, 'offline', { idset: '2' }],
      [4, 'online', { idset: '2-3' }],
    )
    expect(await spansOf({ resource: dir({ eventlog: log }) })).to.deep.equal([
      [1, 'down', 1, 2, ''],
      [2, 'down', 1, 2, ''],
      [2, 'down', 3, 4, ''],
      [3, 'down', 1, 4, ''],
    ])
  })

  it('takes the checkpoint in at its time: it knows of drains before the log', async () => {
    const states = { '5': { timestamp: 2, nodelist: 'n5', reason: 'old' } }
    const entries = {
      checkpoint: dir({ resource: valref(JSON.stringify({ timestamp: 10, drain_state: states })) }),
      resource: dir({
        eventlog: eventlog(
          [8, 'drain', { idset: '6', nodelist: 'n6', reason: 'gone meanwhile' }],
          [12, 'undrain', { idset: '5', nodelist: 'n5' }],
        ),
      }),
    }
    expect(await spansOf(entries)).to.deep.equal([
      [5, 'drained', 2, 12, 'old'],
      [6, 'drained', 8, 10, 'gone meanwhile'],
    ])
    const { hosts, from, to, events } = await nodeHistory(readerOf(entries))
    expect([hosts.get(5), from, to, events.length]).to.deep.equal(['n5', 8, 12, 2])
  })

  it('begins anew at the state that a start before flux-core 0.62 repeated', async () => {
    const log = eventlog(
      [1, 'drain', { idset: '5', reason: 'gone' }],
      [3, 'resource-init', { drain: { '2': { timestamp: 1.5, reason: 'cable' } }, online: '', exclude: '' }],
    )
    expect(await spansOf({ resource: dir({ eventlog: log }) })).to.deep.equal([
      [2, 'drained', 1.5, null, 'cable'],
      [5, 'drained', 1, 3, 'gone'],
    ])
  })

  it('reports what makes no sense, and goes on', async () => {
    const faults: FluxError[] = []
    const onFault = (fault: FluxError) => faults.push(fault)
    const log = valref(
      'no JSON\n{"timestamp":1,"name":"drain","context":{"idset":"0-99999999"}}\n{"timestamp":2,"name":"drain","context":{"idset":"1"}}\n',
    )
    const reader = readerOf({ resource: dir({ eventlog: log }), checkpoint: dir({ resource: valref('[]') }) })
    const { spans } = await nodeHistory(reader, { onFault })
    expect(spans.map(({ rank }) => rank)).to.deep.equal([1])
    expect(faults.map(({ message }) => message)).to.have.length(3)
    const none = await nodeHistory(readerOf({}), { onFault })
    expect([none.from, none.spans.length, faults.length]).to.deep.equal([undefined, 0, 3])
  })
})

describe('inspect instanceResources', () => {
  it('reads the nodes, cores and GPUs of resource.R', async () => {
    const R_lite = [
      { rank: '0-1', children: { core: '0-7', gpu: '0' } },
      { rank: '5', children: { core: '0-3' } },
    ]
    const R = valref(JSON.stringify({ version: 1, execution: { R_lite, nodelist: ['n[0-1]', 'big'] } }))
    const found = await instanceResources(readerOf({ resource: dir({ R }) }))
    expect([found?.nnodes, found?.ncores, found?.ngpus]).to.deep.equal([3, 20, 2])
    expect([...(found?.hosts ?? [])]).to.deep.equal(['n0', 'n1', 'big'])
    expect(await instanceResources(readerOf({}))).to.equal(undefined)
  })
})
