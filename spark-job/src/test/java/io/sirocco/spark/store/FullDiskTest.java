package io.sirocco.spark.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sirocco.spark.MiniHdfs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models that do not fit on the disk: a real one of a few MiB, which only a child process sees. */
class FullDiskTest {
  private static final int MIB = 1 << 20;

  @TempDir private Path folder;

  @BeforeEach
  void requirePrivateMounts() throws Exception {
    Process attempt = new ProcessBuilder("unshare", "-rm", "true").start();
    boolean possible = attempt.waitFor() == 0;
    String reason = "this machine does not let us mount a disk of our own (unshare -rm)";
    if (!possible) {
      System.out.println("FullDiskTest: not run, " + reason);
    }
    assumeTrue(possible, reason);
  }

  /** What {@link AcquireMain} says with its cache on a disk of that size. */
  private List<String> onDisk(int mib, String... arguments) throws IOException {
    return onDisk(mib, AcquireMain.class, arguments);
  }

  private List<String> onDisk(int mib, Class<?> main, String... arguments) throws IOException {
    Path disk = Files.createDirectories(folder.resolve("disk"));
    List<String> command =
        new ArrayList<>(
            List.of(
                "unshare",
                "-rm",
                "sh",
                "-c",
                "mount -t tmpfs -o size=" + mib + "m tmpfs " + disk + " && exec \"$@\"",
                "sh"));
    command.addAll(AcquireProcess.command(disk.resolve("cache"), List.of(), main, arguments));
    return new AcquireProcess(
            new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start())
        .lines();
  }

  @Test
  void aModelLargerThanTheDiskIsRefusedBeforehand() throws IOException {
    try (MiniHdfs hdfs = MiniHdfs.start()) {
      String large = hdfs.put(TestModels.random(folder.resolve("large"), 1, 12 * MIB), "/large");

      assertThat(onDisk(8, large))
          .singleElement()
          .asString()
          .startsWith("failed " + large + ": 12.0 MiB")
          .contains("where 8.0 MiB", "set spark.sirocco.cache.dir to a larger disk");
    }
  }

  @Test
  void preparedWeightsLargerThanTheDiskAreRefusedBeforehand() throws IOException {
    assertThat(onDisk(8, PrepareMain.class, "model", "12", String.valueOf(MIB)))
        .singleElement()
        .asString()
        .startsWith("failed prepared weights in ")
        .contains(
            "12.0 MiB",
            "more must find room in",
            "where 8.0 MiB",
            "set spark.sirocco.cache.dir to a larger disk");
  }

  @Test
  void aDiskThatFillsMeanwhileLeavesAUsableCache() throws IOException {
    try (MiniHdfs hdfs = MiniHdfs.start()) {
      String model = hdfs.put(TestModels.random(folder.resolve("model"), 2, 40 * MIB), "/model");

      List<String> lines = onDisk(48, "--fill", model);

      System.out.println("FullDiskTest: " + lines);
      assertThat(lines).hasSize(3);
      assertThat(lines)
          .anySatisfy(
              line ->
                  assertThat(line).startsWith("failed " + model).contains("is full: of 40.0 MiB"))
          .contains("full: No space left on device");
      assertThat(lines.get(2)).matches("fetched 41\\d{6} " + model);
    }
  }
}
