package io.sirocco.spark;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import scala.util.Properties;

/** Spark as a cluster has it: the jars of the test class path that are not ours. */
public final class SparkJars {
  /**
   * What only the submit jar, or a test, may bring. A part of it on Spark's side breaks the rest,
   * whose classes that part does not see.
   */
  private static final Pattern OURS =
      Pattern.compile(
          ".*(sirocco|/classes|/test-classes|picocli|jackson-dataformat-yaml|snakeyaml|javacpp|bytedeco|dnnl"
              + "|mkl-dnn|/jna|/djl/|junit|assertj|archunit|surefire|failsafe|minicluster).*");

  /** Of these jars; the scripts of a distribution tell it to the worker. */
  static final String SCALA =
      Properties.versionNumberString().replaceFirst("(\\d+\\.\\d+)\\..*", "$1");

  private SparkJars() {}

  /** The jars, for a class path. */
  public static List<String> all() {
    String path =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    return Arrays.stream(path.split(File.pathSeparator, -1))
        .filter(entry -> entry.endsWith(".jar") && !OURS.matcher(entry).matches())
        .toList();
  }

  /** A SPARK_HOME in {@code folder}: links to the jars, which is all that a worker needs. */
  static void link(Path folder) throws IOException {
    Path jars = Files.createDirectories(folder.resolve("jars"));
    List<Path> targets = all().stream().map(jar -> Path.of(jar).toAbsolutePath()).toList();
    List<Path> names = targets.stream().map(Path::getFileName).toList();
    try (Stream<Path> links = Files.list(jars)) {
      for (Path link : links.filter(old -> !names.contains(old.getFileName())).toList()) {
        Files.delete(link);
      }
    }
    for (Path target : targets) {
      Path link = jars.resolve(target.getFileName());
      if (!Files.exists(link)) {
        Files.deleteIfExists(link);
        Files.createSymbolicLink(link, target);
      }
    }
  }
}
