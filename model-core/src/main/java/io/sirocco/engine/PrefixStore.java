package io.sirocco.engine;

import io.sirocco.model.Adapter;
import io.sirocco.model.Decoder;
import io.sirocco.model.KvCache;
import io.sirocco.model.PrefixKeys;
import io.sirocco.model.PrefixedRow;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Keys and values of the shared prefix, for the engine's thread: of each adapter its own. They are
 * computed in passes of their own, before the first rows that need them.
 */
final class PrefixStore implements AutoCloseable {
  private final PrefixChoice choice;
  private final Computing computing;
  private final PrefixKeys.Memory memory;
  private final Meter meter;
  private final Map<Optional<Adapter>, PrefixKeys> keys = new HashMap<>();

  /** What computes them, and with which adapters. */
  record Computing(Decoder decoder, OpenAdapters adapters) {}

  /** The memory's allocator is for the keys and values alone, and closed with this. */
  PrefixStore(PrefixChoice choice, Computing computing, PrefixKeys.Memory memory, Meter meter) {
    this.choice = choice;
    this.computing = computing;
    this.memory = memory;
    this.meter = meter;
  }

  /** What is to be computed of a row. */
  PrefixedRow row(Intake.Accepted accepted) {
    Optional<KvCache> prefix = of(accepted, accepted.row().length());
    return new PrefixedRow(
        accepted.row(), accepted.shared(), prefix, computing.adapters().of(accepted));
  }

  /** What the row takes over, if anything, where it is computed as one of so many tokens. */
  Optional<KvCache> of(Intake.Accepted accepted, int rowLength) {
    int shared = accepted.shared();
    if (shared == 0) {
      return Optional.empty();
    }
    // A row that shares tokens was read when the prefix was known.
    PrefixKeys known =
        keys.computeIfAbsent(
            computing.adapters().of(accepted),
            adapter -> new PrefixKeys(choice.known(), computing.decoder(), adapter, memory));
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
    keys.values().forEach(PrefixKeys::close);
    keys.clear();
    memory.allocator().close();
  }
}
