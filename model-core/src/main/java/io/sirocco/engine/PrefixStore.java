package io.sirocco.engine;

import io.sirocco.model.Decoder;
import io.sirocco.model.KvCache;
import io.sirocco.model.PrefixKeys;
import io.sirocco.model.PrefixedRow;
import java.util.Optional;

/**
 * Keys and values of the shared prefix, for the engine's thread. They are computed in passes of
 * their own, before the first rows that need them.
 */
final class PrefixStore implements AutoCloseable {
  private final PrefixChoice choice;
  private final Decoder decoder;
  private final PrefixKeys.Memory memory;
  private final Meter meter;
  private Optional<PrefixKeys> keys = Optional.empty();

  /** The memory's allocator is for the keys and values alone, and closed with this. */
  PrefixStore(PrefixChoice choice, Decoder decoder, PrefixKeys.Memory memory, Meter meter) {
    this.choice = choice;
    this.decoder = decoder;
    this.memory = memory;
    this.meter = meter;
  }

  /** What is to be computed of a row. */
  PrefixedRow row(Intake.Accepted accepted) {
    Optional<KvCache> prefix = of(accepted.shared(), accepted.row().length());
    return new PrefixedRow(accepted.row(), accepted.shared(), prefix);
  }

  /** For a row of so many tokens, the first {@code shared} of which it takes over. */
  Optional<KvCache> of(int shared, int rowLength) {
    if (shared == 0) {
      return Optional.empty();
    }
    if (keys.isEmpty()) {
      // A row that shares tokens was read when the prefix was known.
      keys = Optional.of(new PrefixKeys(choice.known(), decoder, memory));
    }
    PrefixKeys known = keys.get();
    int missing = known.missing(shared, rowLength);
    if (missing == 0) {
      return Optional.of(known.of(shared, rowLength));
    }
    KvCache computed = meter.pass(1, missing, () -> known.of(shared, rowLength));
    meter.read(missing);
    return Optional.of(computed);
  }

  /** Bytes that are taken now; any thread may ask. */
  long allocated() {
    return memory.allocator().getAllocatedMemory();
  }

  @Override
  public void close() {
    keys.ifPresent(PrefixKeys::close);
    memory.allocator().close();
  }
}
