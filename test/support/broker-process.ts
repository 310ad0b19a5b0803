/** A broker double as a program: `node broker-process.ts OPTIONS ITSELF`. It prints its URI, and a line before it signals itself. */
import { writeSync } from 'node:fs'
import { BrokerDouble } from './broker-double.ts'

const [, , options = '', itself = ''] = process.argv
const { at, signal } = JSON.parse(itself) as { at: number; signal: NodeJS.Signals }
const broker = await BrokerDouble.start({
  ...JSON.parse(options),
  latency: () => {
    if (broker.requests.length === at) {
      writeSync(1, 'reached\n')
      process.kill(process.pid, signal)
    }
    return 0
  },
})
writeSync(1, `${broker.uri}\n`)
