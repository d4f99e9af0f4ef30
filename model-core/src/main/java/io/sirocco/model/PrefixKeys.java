package io.sirocco.model;

import io.sirocco.kernel.Precision;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.arrow.memory.BufferAllocator;

/**
 * Keys and values of a {@link SharedPrefix}, computed when the first row needs them and kept until
 * this is closed. One thread at a time.
 */
public final class PrefixKeys implements AutoCloseable {
  private final SharedPrefix prefix;
  private final Decoder decoder;
  private final Optional<Adapter> adapter;
  private final Memory memory;
  private final Map<Integer, KvCache> byVariant = new HashMap<>();

  /** Where the caches come from; allocator and decoder stay their owners'. */
  public record Memory(MistralConfig config, Precision precision, BufferAllocator allocator) {}

  /** For rows without adapter. */
  public PrefixKeys(SharedPrefix prefix, Decoder decoder, Memory memory) {
    this(prefix, decoder, Optional.empty(), memory);
  }

  /** For the rows that have this adapter, or for those that have none. */
  public PrefixKeys(
      SharedPrefix prefix, Decoder decoder, Optional<Adapter> adapter, Memory memory) {
    this.prefix = prefix;
    this.decoder = decoder;
    this.adapter = adapter;
    this.memory = memory;
  }

  /** Tokens that {@link #of} has to compute first for such a row; 0 if all are there. */
  public int missing(int shared, int rowLength) {
    if (find(shared, rowLength).isPresent()) {
      return 0;
    }
    return prefix.length() - common();
  }

  /**
   * Keys and values for a row of so many tokens that takes over the first {@code shared} ones.
   * Valid until this is closed; not to be written to.
   */
  public KvCache of(int shared, int rowLength) {
    // A row that takes over whole blocks only may be shorter than the prefix.
    return find(shared, rowLength)
        .orElseGet(() -> compute(Math.max(rowLength, prefix.length() + SharedPrefix.FEWEST_OWN)));
  }

  private Optional<KvCache> find(int shared, int rowLength) {
    return shared < prefix.length()
        ? byVariant.values().stream().findFirst()
        : Optional.ofNullable(byVariant.get(prefix.variant(rowLength)));
  }

  /** Leading tokens that are there, and the same in all variants. */
  private int common() {
    return byVariant.isEmpty() ? 0 : SharedPrefix.fewer(prefix.length());
  }

  private KvCache compute(int rowLength) {
    int[] ids = prefix.ids();
    KvCache cache =
        KvCache.allocatePrefix(memory.config(), memory.precision(), ids.length, memory.allocator());
    try {
      byVariant.values().stream()
          .findFirst()
          .filter(other -> common() > 0)
          .ifPresent(other -> cache.begin(other, common()));
      while (cache.length() < ids.length) {
        int from = cache.length();
        int end = Math.min(ids.length, BatchPlan.cutBehind(from));
        int[] some = Arrays.copyOfRange(ids, from, end);
        decoder.prefix(new Continuation(cache, some, ids.length, adapter), rowLength);
      }
    } catch (RuntimeException | Error e) {
      cache.close();
      throw e;
    }
    byVariant.put(prefix.variant(rowLength), cache);
    return cache;
  }

  @Override
  public void close() {
    byVariant.values().forEach(KvCache::close);
    byVariant.clear();
  }
}
