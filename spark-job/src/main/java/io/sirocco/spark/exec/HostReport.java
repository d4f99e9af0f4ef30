package io.sirocco.spark.exec;

import io.sirocco.prepared.PreparedWeights;
import java.io.Serializable;
import java.util.List;
import java.util.SortedSet;
import java.util.stream.Collectors;

/**
 * What an executor is, and what its engine runs there.
 *
 * @param place which executor it is
 * @param processor what computes
 * @param engine what it runs
 * @param memory what it takes and what there is
 */
public record HostReport(Place place, Processor processor, Model engine, Memory memory)
    implements Serializable {

  /** For {@link Memory#limit} and {@link Memory#machine}, where nobody tells. */
  public static final long UNLIMITED = Long.MAX_VALUE;

  private static final int NAMES_SHOWN = 3;

  /** Some of these hosts' names, and how many more there are. */
  public static String some(SortedSet<String> hosts) {
    String text = hosts.stream().limit(NAMES_SHOWN).collect(Collectors.joining(", "));
    int more = hosts.size() - NAMES_SHOWN;
    return more > 0 ? text + " and " + more + " more" : text;
  }

  /**
   * Which executor.
   *
   * @param address host and port under which Spark lists it
   */
  public record Place(String executor, String host, String address) implements Serializable {
    @Override
    public String toString() {
      return host + " (executor " + executor + ")";
    }
  }

  /**
   * A processor.
   *
   * @param features those that kernels make use of, by the kernel's names for them
   * @param cores that the executor has
   */
  public record Processor(String model, List<String> features, int cores) implements Serializable {
    public Processor {
      features = List.copyOf(features);
    }
  }

  /**
   * An engine.
   *
   * @param precision float32 or bfloat16
   * @param weights stored or packed
   * @param arithmetic what can change results: library and instruction set
   * @param seconds that it took to open it; next to nothing if it was open
   * @param prepared weights that were brought into another form meanwhile, rather than found in it
   * @param notes of the engine's plan, for people
   */
  public record Model(
      String fingerprint,
      String precision,
      String weights,
      String arithmetic,
      int threads,
      double seconds,
      PreparedWeights.Made prepared,
      List<String> notes)
      implements Serializable {
    public Model {
      notes = List.copyOf(notes);
    }
  }

  /**
   * Bytes.
   *
   * @param weightsMapped page cache, shared by all executors of the host
   * @param owned native memory that the engine may come to take for itself
   * @param heapMax the most that the heap may become
   * @param limit of the container
   * @param machine all that the machine has
   */
  public record Memory(long weightsMapped, long owned, long heapMax, long limit, long machine)
      implements Serializable {}
}
