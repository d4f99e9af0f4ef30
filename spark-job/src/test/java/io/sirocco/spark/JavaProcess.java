package io.sirocco.spark;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A JVM of Spark's, started by a test and never outliving it. */
public final class JavaProcess implements AutoCloseable {
  private static final long POLL_MILLISECONDS = 50;

  private final Process process;
  private final Path log;

  private JavaProcess(Process process, Path log) {
    this.process = process;
    this.log = log;
  }

  /**
   * @param home the SPARK_HOME
   * @param options for the JVM
   * @param command a main class and its arguments
   * @param folder where it runs
   * @param log what it prints
   */
  record Start(Path home, List<String> options, List<String> command, Path folder, Path log) {

    JavaProcess now(Map<String, String> environment) throws IOException {
      Path java = Path.of(System.getProperty("java.home"), "bin", "java");
      List<String> line = new ArrayList<>(List.of(java.toString()));
      line.addAll(options);
      line.addAll(List.of("-cp", tied(home) + ":" + home.resolve("jars/*")));
      line.add(TiedProcess.class.getName());
      line.addAll(command);
      ProcessBuilder builder =
          new ProcessBuilder(line)
              .directory(folder.toFile())
              .redirectErrorStream(true)
              .redirectOutput(log.toFile());
      builder.environment().keySet().removeIf(name -> name.startsWith("SPARK_"));
      builder.environment().put("SPARK_HOME", home.toString());
      builder.environment().put("SPARK_SCALA_VERSION", SparkJars.SCALA);
      builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
      builder.environment().put("SPARK_LOCAL_IP", StandaloneCluster.HOST);
      builder.environment().putAll(environment);
      return new JavaProcess(builder.start(), log);
    }

    /** A folder that holds the class which ties a process to this JVM, and no other of ours. */
    private static Path tied(Path home) throws IOException {
      String name = TiedProcess.class.getName().replace('.', '/') + ".class";
      Path copy = home.resolve("tied").resolve(name);
      Files.createDirectories(copy.getParent());
      try (InputStream in = TiedProcess.class.getResourceAsStream("/" + name)) {
        Files.copy(in, copy, StandardCopyOption.REPLACE_EXISTING);
      }
      return home.resolve("tied");
    }
  }

  /** What it has printed so far. */
  public String log() {
    try {
      return Files.exists(log) ? new String(Files.readAllBytes(log), StandardCharsets.UTF_8) : "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The first group of {@code pattern}, once it is printed. */
  public String awaitLog(Pattern pattern, Duration limit) throws InterruptedException {
    long end = System.nanoTime() + limit.toNanos();
    while (System.nanoTime() < end) {
      boolean alive = process.isAlive();
      Matcher found = pattern.matcher(log());
      if (found.find()) {
        return found.group(found.groupCount());
      }
      if (!alive) {
        break;
      }
      Thread.sleep(POLL_MILLISECONDS);
    }
    throw new AssertionError("no " + pattern + " within " + limit + " in:\n" + log());
  }

  /** The exit code; after {@code limit} the process is killed, and the test with it. */
  public int await(Duration limit) throws InterruptedException {
    if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
      kill();
      throw new AssertionError("still running after " + limit + ":\n" + log());
    }
    return process.exitValue();
  }

  /** Whether it still runs. */
  public boolean isAlive() {
    return process.isAlive();
  }

  /** The process. */
  public ProcessHandle handle() {
    return process.toHandle();
  }

  /** As {@code kill -9}; returns when it is gone. */
  public void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  /** Kills it, if need be, and what it has started. */
  @Override
  public void close() {
    List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
    all.add(process.toHandle());
    all.forEach(ProcessHandle::destroyForcibly);
    all.forEach(handle -> handle.onExit().orTimeout(1, TimeUnit.MINUTES).join());
  }
}
