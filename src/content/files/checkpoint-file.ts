/** The name of the file that holds the checkpoint. */
export const CHECKPOINT_FILE = 'kvs-primary'
