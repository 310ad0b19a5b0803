/** The file that holds the checkpoint. */
export const CHECKPOINT_FILE = 'kvs-primary'
