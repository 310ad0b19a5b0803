/** A thread that answers with what it is given. */
import { serveThread } from '../../src/threads/index.ts'

serveThread('echo', () => ({ echo: (text: string) => ({ reply: text }) }))
