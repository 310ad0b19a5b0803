/** A thread that answers with what it is given, or breaks after it. */
import { serveThread } from '../../src/threads/index.ts'

serveThread('echo', () => ({
  echo: (text: string) => ({ reply: text }),
  break: (text: string) => {
    process.nextTick(() => {
      throw new Error(text)
    })
    return { reply: text }
  },
}))
