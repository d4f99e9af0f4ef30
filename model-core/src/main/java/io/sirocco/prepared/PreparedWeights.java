package io.sirocco.prepared;

import java.io.Serializable;
import java.nio.ByteBuffer;

/** Where the prepared weights of one model are kept. Not safe for concurrent use. */
public interface PreparedWeights extends AutoCloseable {
  /** Makes what is not there yet. */
  @FunctionalInterface
  interface Maker {
    /**
     * Fills {@code into}, a direct little-endian buffer of the size asked for, aligned to a cache
     * line and full of zeros.
     */
    void make(ByteBuffer into);
  }

  /**
   * Bytes at an address that is aligned to a cache line, read-only.
   *
   * @param owner must stay reachable while the address is used
   * @param ownBytes of them in this process's own memory; 0 where they are mapped
   */
  record Bytes(long address, Object owner, long ownBytes) {}

  /**
   * What was made, rather than found, since these weights were opened.
   *
   * @param seconds that it took
   */
  record Made(long bytes, double seconds) implements Serializable {
    public static final Made NOTHING = new Made(0, 0);
  }

  /**
   * The bytes of that name, made if need be; valid until this is closed.
   *
   * @param name says everything about the content but which model it is of; letters, digits, dots,
   *     hyphens and underscores
   * @throws NotPreparedException if it cannot be kept: no room, or an unusable folder
   */
  Bytes get(String name, long size, Maker maker);

  /** What it has cost so far. */
  Made made();

  @Override
  void close();
}
