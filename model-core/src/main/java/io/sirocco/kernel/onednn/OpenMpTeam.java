package io.sirocco.kernel.onednn;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How many OpenMP threads work for the calling thread. Waking a passive team costs about 50
 * microseconds, so small operations run on the caller alone; results are the same either way.
 *
 * <p>Belongs to one thread: OpenMP keeps the team size per calling thread.
 */
final class OpenMpTeam {
  private static final Logger LOG = LoggerFactory.getLogger(OpenMpTeam.class);

  /** Below this much work, in seconds on one core, waking the others costs more than they save. */
  private static final double WORTH_A_TEAM = 150e-6;

  private static final int UNKNOWN = -1;

  private final Optional<Function> setThreads;
  private final int threads;
  private int current = UNKNOWN;

  private OpenMpTeam(Optional<Function> setThreads, int threads) {
    this.setThreads = setThreads;
    this.threads = threads;
  }

  /**
   * A team of {@code threads}, or of what the user's OMP_NUM_THREADS says. oneDNN must be loaded.
   */
  static OpenMpTeam of(int threads) {
    return new OpenMpTeam(findSetThreads(), userThreads().orElse(threads));
  }

  /** Sets OMP_WAIT_POLICY=passive in this process unless it is set; call before oneDNN loads. */
  static void waitPassively() {
    if (System.getenv("OMP_WAIT_POLICY") == null && System.getenv("GOMP_SPINCOUNT") == null) {
      try {
        int keep = 0;
        NativeLibrary.getInstance("c")
            .getFunction("setenv")
            .invokeInt(new Object[] {"OMP_WAIT_POLICY", "passive", keep});
      } catch (LinkageError e) {
        LOG.info("OpenMP threads will spin while they wait: {}", e.toString());
      }
    }
  }

  /**
   * Prepares the calling thread's team for an operation that takes one core this many seconds.
   *
   * @return how many threads it has now, or would have if OpenMP let itself be told
   */
  int employFor(double secondsOfOneCore) {
    int wanted = secondsOfOneCore < WORTH_A_TEAM ? 1 : threads;
    if (wanted != current && setThreads.isPresent()) {
      setThreads.get().invoke(new Object[] {wanted});
      current = wanted;
    }
    return wanted;
  }

  /** A team for another thread, which works alone. */
  OpenMpTeam ofOne() {
    return new OpenMpTeam(setThreads, 1);
  }

  /** A team of the same size for another thread. */
  OpenMpTeam another() {
    return new OpenMpTeam(setThreads, threads);
  }

  /** Threads that may share work out among them, each alone: only where OpenMP can be told so. */
  int soloists() {
    return setThreads.isPresent() ? threads : 1;
  }

  String describe() {
    return setThreads.isPresent()
        ? threads + (threads == 1 ? " thread" : " threads")
        : "as many threads as OpenMP takes (its library was not found to be told otherwise)";
  }

  private static Optional<Integer> userThreads() {
    return Optional.ofNullable(System.getenv("OMP_NUM_THREADS"))
        .filter(value -> value.matches("[1-9][0-9]{0,3}"))
        .map(Integer::valueOf);
  }

  /** {@code omp_set_num_threads} of the very library that oneDNN has loaded. */
  private static Optional<Function> findSetThreads() {
    try {
      for (String line :
          Files.readAllLines(Path.of("/proc/self/maps"), StandardCharsets.ISO_8859_1)) {
        int path = line.indexOf('/');
        if (path >= 0 && line.contains("libgomp")) {
          return Optional.of(
              NativeLibrary.getInstance(line.substring(path)).getFunction("omp_set_num_threads"));
        }
      }
    } catch (IOException | LinkageError e) {
      LOG.info("the OpenMP library cannot be governed: {}", e.toString());
    }
    return Optional.empty();
  }
}
