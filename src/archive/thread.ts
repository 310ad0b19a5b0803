export { type Broken, startThread } from '../threads/index.ts'
