export { moduleBeside } from './start-worker.ts'
export { type Answer, type Handlers, serveThread, Thread } from './thread.ts'
