import { expect } from 'chai'
import type { FluxError } from '../../../src/errors/index.ts'
import { drainedNodes } from '../../../src/inspect/index.ts'
import { eventlog, readerOf } from '../../support/resource-trees.ts'
import { dir, valref } from '../../support/trees.ts'

describe('inspect/nodes drainedNodes', () => {
  it('replays drain and undrain, with the first reason unless it is written over', async () => {
    const log = eventlog(
      [1, 'resource-define', { method: 'configuration' }],
      [2, 'drain', { idset: '1-3', nodelist: 'n[1-3]', reason: 'disk', overwrite: 0 }],
      [3, 'drain', { idset: '2', nodelist: 'n2', reason: 'other', overwrite: 0 }],
      [4, 'drain', { idset: '3', nodelist: 'n3', reason: 'memory', overwrite: 1 }],
      [5, 'undrain', { idset: '1', nodelist: 'n1' }],
      [6, 'drain', { idset: '7', nodelist: 'n7', overwrite: 0 }],
      [7, 'drain', { idset: '7', nodelist: 'n7', reason: 'fan', overwrite: 2 }],
    )
    expect(await drainedNodes(readerOf({ resource: dir({ eventlog: log }) }))).to.deep.equal([
      { rank: 2, host: 'n2', since: 2, reason: 'disk' },
      { rank: 3, host: 'n3', since: 2, reason: 'memory' },
      { rank: 7, host: 'n7', since: 7, reason: 'fan' },
    ])
  })

  it('begins with the checkpoint of the resource module, and leaves out older events', async () => {
    const state = {
      '4': { timestamp: 9, nodelist: 'n4', reason: '' },
      '0-1': { timestamp: 8, nodelist: 'n[0-1]', reason: 'x' },
    }
    const reader = readerOf({
      checkpoint: dir({ resource: valref(JSON.stringify({ timestamp: 10, drain_state: state })) }),
      resource: dir({
        eventlog: eventlog(
          [5, 'drain', { idset: '9', nodelist: 'n9', reason: 'old' }],
          [11, 'undrain', { idset: '0', nodelist: 'n0' }],
        ),
      }),
    })
    expect(await drainedNodes(reader)).to.deep.equal([
      { rank: 1, host: 'n1', since: 8, reason: 'x' },
      { rank: 4, host: 'n4', since: 9, reason: undefined },
    ])
  })

  it('reads the state that a start before flux-core 0.62 repeated', async () => {
    const log = eventlog(
      [1, 'drain', { idset: '5', reason: 'gone' }],
      [2, 'resource-init', { drain: { '2-3': { timestamp: 1.5, reason: 'cable' } }, online: '', exclude: '' }],
      [3, 'undrain', { idset: '3' }],
    )
    expect(await drainedNodes(readerOf({ resource: dir({ eventlog: log }) }))).to.deep.equal([
      { rank: 2, host: undefined, since: 1.5, reason: 'cable' },
    ])
  })

  it('finds none where there are no records, and tells what it cannot read', async () => {
    expect(await drainedNodes(readerOf({ a: valref('x') }))).to.deep.equal([])
    const faults: FluxError[] = []
    const log = valref('nonsense\n{"timestamp":1,"name":"drain","context":{"idset":"x","nodelist":"n1"}}\n')
    const reader = readerOf({ checkpoint: dir({ resource: valref('[]') }), resource: dir({ eventlog: log }) })
    expect(await drainedNodes(reader, { onFault: (fault) => faults.push(fault) })).to.deep.equal([])
    expect(faults.map(({ message }) => message)).to.deep.equal([
      'checkpoint.resource: not a checkpoint of the resource module',
      'resource.eventlog: line 1: not JSON',
      'resource.eventlog: not a set of ranks and hosts: "x"',
    ])
  })
})
