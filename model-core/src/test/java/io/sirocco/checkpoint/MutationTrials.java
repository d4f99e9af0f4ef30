package io.sirocco.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A file damaged again and again, and each time used as its reader would: it is refused with a
 * {@link ModelException}, or serves for whatever is asked of it; either within a time, and with
 * memory, on the heap and beyond, that the file's size bounds.
 *
 * <p>{@code -Dsirocco.mutations=100000} asks for more than the usual few seconds, and {@code
 * -Dsirocco.mutations.from=N} begins at a mutation that a failure has named: each has a seed of its
 * own.
 *
 * @param name for people
 * @param usual how many mutations, unless the property says so
 * @param heapBase bytes that reading an empty file may take
 * @param heapPerByte bytes that each byte of the file may take on top
 */
public record MutationTrials(String name, int usual, long heapBase, int heapPerByte) {
  private static final long SEED = 20261126;
  private static final Duration LONGEST = Duration.ofSeconds(10);

  /** Each mapped tensor is a mapping of the process until it is collected; there is a limit. */
  private static final int LOADS_BETWEEN_COLLECTIONS = 1000;

  /** What compilers and collectors of the virtual machine may take meanwhile. */
  private static final long OTHERS_MEMORY = 32L << 20;

  /** Others' memory is no matter of the mutation's: too much is so, if it is so every time. */
  private static final int TRIES = 4;

  /** Uses of the undamaged file, for what a virtual machine does once. */
  private static final int WARM_UP = 20;

  /** Damages a file, at random, but the same for the same seed. */
  @FunctionalInterface
  public interface Damage {
    byte[] of(byte[] original, long seed);
  }

  /** Opens what was damaged, and asks all of it that a job may ask. */
  @FunctionalInterface
  public interface Use {
    /** May throw a {@link ModelException}, where the file is refused. */
    void run() throws Exception;
  }

  /** What has come out so far. */
  private static final class Tally {
    private int loaded;
    private int refused;
    private long longestNanos;
    private long mostAllocated;
    private long mostNative;
    private volatile int mutation;
    private volatile long since = System.nanoTime();
  }

  /** Damage to an archive of a pickle: half of it to the pickle alone. */
  public static byte[] ofPickled(byte[] original, long seed) {
    Mutations mutations = new Mutations(seed);
    return (seed & 1) == 0 ? mutations.of(original) : mutations.ofPickleIn(original);
  }

  /** Damage to bytes and to the values of JSON. */
  public void run(Path file, byte[] original, Use use) throws InterruptedException {
    run(file, original, (bytes, seed) -> new Mutations(seed).of(bytes), use);
  }

  /**
   * Writes {@code original}, damaged, to {@code file} again and again, and uses it.
   *
   * @throws AssertionError if a mutation breaks a promise, with its number
   */
  public void run(Path file, byte[] original, Damage damage, Use use) throws InterruptedException {
    int count = Integer.getInteger("sirocco.mutations", usual);
    int from = Integer.getInteger("sirocco.mutations.from", 0);
    Tally tally = new Tally();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Thread worker =
        new Thread(
            () -> {
              try {
                Files.write(file, original);
                for (int i = 0; i < WARM_UP; i++) {
                  use.run();
                }
                for (int i = from; i < from + count; i++) {
                  trial(i, file, damage.of(original, seed(i)), use, tally);
                }
              } catch (Throwable e) {
                failure.set(e);
              }
            },
            "mutations");
    worker.setDaemon(true);
    worker.start();
    while (worker.isAlive()) {
      worker.join(100);
      // A thread that hangs cannot be ended: it is left behind, with where it was.
      if (worker.isAlive() && System.nanoTime() - tally.since > LONGEST.toNanos()) {
        AssertionError hang = new AssertionError(what(tally.mutation) + " takes over " + LONGEST);
        hang.setStackTrace(worker.getStackTrace());
        throw hang;
      }
    }
    if (failure.get() != null) {
      throw new AssertionError(what(tally.mutation) + ": " + failure.get(), failure.get());
    }
    System.out.printf(
        "%s, %,d bytes: %,d mutations from %d: %,d loaded, %,d refused; longest %d ms;"
            + " at most %,d bytes of heap, and %,d beyond it; seed %d%n",
        name,
        original.length,
        count,
        from,
        tally.loaded,
        tally.refused,
        tally.longestNanos / 1_000_000,
        tally.mostAllocated,
        tally.mostNative,
        SEED);
    assertThat(tally.loaded).as("mutations of %s that load", name).isPositive();
    assertThat(tally.refused).as("mutations of %s that are refused", name).isPositive();
  }

  private static long seed(int mutation) {
    return new SplittableRandom(SEED + mutation).nextLong();
  }

  private String what(int mutation) {
    return "mutation %d of %s (-Dsirocco.mutations.from=%d)".formatted(mutation, name, mutation);
  }

  private void trial(int number, Path file, byte[] damaged, Use use, Tally tally) throws Exception {
    tally.mutation = number;
    long bound = heapBase + (long) heapPerByte * damaged.length;
    for (int attempt = 1; ; attempt++) {
      Files.write(file, damaged);
      tally.since = System.nanoTime();
      Memory before = Memory.now();
      boolean loads = loads(use);
      Memory taken = Memory.now().since(before);
      tally.longestNanos = Math.max(tally.longestNanos, System.nanoTime() - tally.since);
      assertThat(taken.heap()).as("bytes of heap for %d bytes", damaged.length).isLessThan(bound);
      if (taken.beyond() > bound + OTHERS_MEMORY && attempt < TRIES) {
        continue;
      }
      assertThat(taken.beyond())
          .as("bytes beyond the heap for %d bytes", damaged.length)
          .isLessThan(bound + OTHERS_MEMORY);
      tally.mostAllocated = Math.max(tally.mostAllocated, taken.heap());
      tally.mostNative = Math.max(tally.mostNative, taken.beyond());
      count(loads, tally);
      return;
    }
  }

  private static boolean loads(Use use) throws Exception {
    try {
      use.run();
      return true;
    } catch (ModelException e) {
      assertThat(e.getMessage()).isNotBlank();
      return false;
    }
  }

  private static void count(boolean loads, Tally tally) {
    if (!loads) {
      tally.refused++;
      return;
    }
    tally.loaded++;
    if (tally.loaded % LOADS_BETWEEN_COLLECTIONS == 0) {
      System.gc();
    }
  }

  /**
   * Memory of this thread and process, in bytes.
   *
   * @param heap that the thread has allocated so far, collected or not
   * @param buffers direct and mapped ones that are there
   * @param resident of the process now; 0 where the system does not tell
   * @param peak of it since {@link #now} was asked before
   */
  private record Memory(long heap, long buffers, long resident, long peak) {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final List<BufferPoolMXBean> BUFFERS =
        ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class);
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final Path CLEAR = Path.of("/proc/self/clear_refs");
    private static final boolean TELLS = Files.isWritable(CLEAR) && Files.isReadable(STATUS);

    static Memory now() throws Exception {
      long resident = 0;
      long peak = 0;
      if (TELLS) {
        for (String line : Files.readAllLines(STATUS)) {
          resident = line.startsWith("VmRSS:") ? kibibytes(line) : resident;
          peak = line.startsWith("VmHWM:") ? kibibytes(line) : peak;
        }
        Files.writeString(CLEAR, "5"); // the peak begins anew
      }
      long buffers = BUFFERS.stream().mapToLong(BufferPoolMXBean::getMemoryUsed).sum();
      return new Memory(THREADS.getCurrentThreadAllocatedBytes(), buffers, resident, peak);
    }

    private static long kibibytes(String line) {
      return Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
    }

    /** What {@code before} is less; of memory beyond the heap the larger of the two readings. */
    Memory since(Memory before) {
      return new Memory(
          heap - before.heap, buffers - before.buffers, 0, Math.max(0, peak - before.resident));
    }

    long beyond() {
      return Math.max(buffers, peak);
    }
  }
}
