package io.sirocco.engine;

/**
 * Memory of one engine, in bytes.
 *
 * @param weightsMapped weights read in place: page cache, shared by all processes of the host
 * @param weightsCopied weights converted to the precision's type, those of a raw release whose rows
 *     change places, and adapters: private to this process
 * @param workspace activations and attention of the largest batch: private, native
 * @param kvCache keys and values of all rows that are written at the same time: private, native;
 *     taken as rows come; 0 where nothing is written
 * @param sharedPrefix keys and values of what many rows begin with: private, native; taken when the
 *     first of these rows comes; 0 where nothing is shared
 * @param available what the machine, or the container's limit, had to give when the plan was made
 */
public record MemoryPlan(
    long weightsMapped,
    long weightsCopied,
    long workspace,
    long kvCache,
    long sharedPrefix,
    long available) {

  /** What this process takes for itself. */
  public long owned() {
    return weightsCopied + workspace + kvCache + sharedPrefix;
  }
}
