package io.sirocco.spark.exec;

import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;

/** How many cores Spark gave to the executor in this JVM. */
final class ExecutorCores {
  private static final String MASTER = "spark.master";
  private static final String EXECUTOR_CORES = "spark.executor.cores";

  /** {@code local[2]}, {@code local[2,3]} (the second number is task attempts). */
  private static final Pattern LOCAL_CORES = Pattern.compile("local\\[\\s*(\\d+)\\s*[,\\]].*");

  private ExecutorCores() {}

  /** Never more than the JVM may use; without Spark, what the JVM may use. */
  static int here() {
    int processors = Runtime.getRuntime().availableProcessors();
    SparkEnv env = SparkEnv.get();
    if (env == null) {
      return processors;
    }
    int given = of(env.conf()).orElse(processors);
    return Math.max(1, Math.min(given, processors));
  }

  /** Empty where the executor takes all cores there are. */
  static OptionalInt of(SparkConf conf) {
    String master = conf.get(MASTER, "");
    if (master.equals("local")) {
      return OptionalInt.of(1);
    }
    if (master.startsWith("local[")) {
      Matcher cores = LOCAL_CORES.matcher(master);
      return cores.matches()
          ? OptionalInt.of(Integer.parseInt(cores.group(1)))
          : OptionalInt.empty();
    }
    if (conf.contains(EXECUTOR_CORES)) {
      return OptionalInt.of(conf.getInt(EXECUTOR_CORES, 1));
    }
    // Spark's default for the setting is 1 on YARN and Kubernetes, and all cores of the worker on a
    // standalone cluster.
    boolean oneByDefault = master.startsWith("yarn") || master.startsWith("k8s");
    return oneByDefault ? OptionalInt.of(1) : OptionalInt.empty();
  }
}
