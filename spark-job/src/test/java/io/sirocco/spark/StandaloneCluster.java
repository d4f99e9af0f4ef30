package io.sirocco.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A Spark standalone cluster of one worker on this host: Master and Worker are processes, as are
 * executors and drivers. Jobs are submitted with the submit jar, so it is there in the integration
 * tests only. Nothing of it outlives {@link #close}, or the JVM of the test, however that ends:
 * Master, Worker and drivers are tied to it, and executors end with their worker.
 */
public final class StandaloneCluster implements AutoCloseable {
  static final String HOST = "127.0.0.1";

  private static final Pattern MASTER = Pattern.compile("Starting Spark master at (spark://\\S+)");
  private static final Pattern REGISTERED =
      Pattern.compile("(Successfully registered with master)");
  private static final Duration START = Duration.ofMinutes(1);
  private static final String EXECUTOR = "CoarseGrainedExecutorBackend";
  private static final Path REPOSITORY = Path.of("..").toAbsolutePath().normalize();

  private final Path folder;
  private final Path home;
  private final List<JavaProcess> processes = new ArrayList<>();
  private String master = "";
  private int submitted;

  private StandaloneCluster(Path folder, Path home) {
    this.folder = folder;
    this.home = home;
  }

  /**
   * What the worker offers, which need not be what the host has.
   *
   * @param cores task slots
   * @param memory of all executors, such as {@code 4g}
   */
  public record Offer(int cores, String memory) {}

  /** A running cluster; {@code folder} takes its logs and its work. */
  public static StandaloneCluster start(Path folder, Offer offer)
      throws IOException, InterruptedException {
    Path home = Path.of("target", "spark-home").toAbsolutePath();
    SparkJars.link(home);
    StandaloneCluster cluster = new StandaloneCluster(folder, home);
    try {
      cluster.startProcesses(offer);
      return cluster;
    } catch (IOException | InterruptedException | AssertionError e) {
      cluster.close();
      throw e;
    }
  }

  private void startProcesses(Offer offer) throws IOException, InterruptedException {
    String ui = "--webui-port";
    JavaProcess first = daemon("master.Master", "--host", HOST, "--port", "0", ui, "0");
    master = first.awaitLog(MASTER, START);
    String work = folder.resolve("work").toString();
    List<String> worker = new ArrayList<>(List.of("--host", HOST, ui, "0", "--work-dir", work));
    worker.addAll(List.of("--cores", String.valueOf(offer.cores()), "--memory", offer.memory()));
    worker.add(master);
    daemon("worker.Worker", worker.toArray(String[]::new)).awaitLog(REGISTERED, START);
  }

  /** {@code spark://host:port}. */
  public String master() {
    return master;
  }

  /**
   * {@code spark-submit --master ... OPTIONS the-submit-jar ARGUMENTS} in client mode, from the
   * repository's root. The process is the driver's.
   *
   * @param options of spark-submit, such as {@code --conf}
   * @param arguments of Sirocco's command line
   */
  public JavaProcess submit(List<String> options, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("org.apache.spark.deploy.SparkSubmit"));
    command.addAll(List.of("--master", master, "--class", "io.sirocco.spark.job.Main"));
    command.addAll(List.of("--conf", "spark.ui.enabled=false"));
    command.addAll(List.of("--conf", "spark.driver.host=" + HOST));
    command.addAll(options);
    command.add(System.getProperty("sirocco.submit.jar"));
    command.addAll(List.of(arguments));
    List<String> jvm =
        new ArrayList<>(
            Arrays.asList(System.getProperty("sirocco.jvm.opens").strip().split("\\s+", -1)));
    jvm.add("-Xmx1g");
    return started(jvm, command, REPOSITORY, "driver-" + submitted++);
  }

  /** The executors that run now, of all jobs. */
  public List<ProcessHandle> executors() {
    return processes.stream()
        .flatMap(process -> process.handle().descendants())
        .filter(child -> child.info().commandLine().orElse("").contains(EXECUTOR))
        .toList();
  }

  /** What all executors so far have logged, those of jobs that have ended, too. */
  public String executorLogs() throws IOException {
    StringBuilder logs = new StringBuilder();
    try (Stream<Path> all = Files.walk(folder.resolve("work"))) {
      for (Path log : all.filter(path -> path.endsWith("stderr")).toList()) {
        logs.append(Files.readString(log));
      }
    }
    return logs.toString();
  }

  /** As {@code kill -9}. */
  public static void kill(ProcessHandle executor) {
    executor.destroyForcibly();
    executor.onExit().join();
  }

  private JavaProcess daemon(String main, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("org.apache.spark.deploy." + main));
    command.addAll(List.of(arguments));
    List<String> jvm = List.of("-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC");
    return started(jvm, command, folder, main);
  }

  private JavaProcess started(List<String> jvm, List<String> command, Path directory, String name)
      throws IOException {
    Path scratch = Files.createDirectories(folder.resolve("local"));
    JavaProcess process =
        new JavaProcess.Start(home, jvm, command, directory, folder.resolve(name + ".log"))
            .now(Map.of("SPARK_LOCAL_DIRS", scratch.toString()));
    processes.add(process);
    return process;
  }

  /** Drivers first, so that nothing is started anew while the rest goes. */
  @Override
  public void close() {
    for (int last = processes.size() - 1; last >= 0; last--) {
      processes.get(last).close();
    }
  }
}
