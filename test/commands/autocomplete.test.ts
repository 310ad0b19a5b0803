import { expect } from 'chai'
import { runInProcess } from '../support/in-process.ts'

describe('autocomplete', () => {
  const lines = [
    'bash: source <(flux-ts completion bash)',
    'zsh, after compinit: source <(flux-ts completion zsh)',
    'fish: flux-ts completion fish | source',
  ]

  for (const args of [[], ['bash'], ['-r'], ['--refresh-cache', 'powershell']]) {
    it(`${JSON.stringify(args.join(' '))} says how completion is turned on`, async () => {
      const { status, stdout, stderr } = await runInProcess(['autocomplete', ...args])
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
      expect(stdout.toString()).to.equal(
        ["Put one of these lines into your shell's start-up file:", ...lines, ''].join('\n'),
      )
    })
  }

  it('says it as JSON too', async () => {
    const { stdout } = await runInProcess(['autocomplete', '--json'])
    expect(JSON.parse(stdout.toString())).to.deep.equal({ lines })
  })

  it('is in no listing and no completion script, but has help', async () => {
    expect((await runInProcess(['help'])).stdout.toString()).not.to.include('autocomplete')
    expect((await runInProcess(['completion', 'bash'])).stdout.toString()).not.to.include('autocomplete')
    expect((await runInProcess(['autocomplete', '--help'])).stdout.toString()).to.include('$ flux-ts autocomplete')
  })
})
