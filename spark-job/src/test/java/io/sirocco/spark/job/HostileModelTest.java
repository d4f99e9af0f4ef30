package io.sirocco.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sirocco.spark.run.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Jobs on damaged and malicious model folders end before Spark starts, and say what is wrong. */
class HostileModelTest {
  private static final Path OWN = Path.of("../model-core/src/test/resources/golden/hostile");
  private static final Path SHARED = Path.of("../../shared/golden/hostile");

  /** Those whose defect is a tensor's. */
  private static final Pattern OF_A_TENSOR =
      Pattern.compile(
          "(tensor|dtype|shape|offsets|index-(missing|path|unknown)|lm-head|more-layers"
              + "|hidden-|vocab-too|truncated-data).*");

  @TempDir Path folder;

  @Test
  void ownFoldersAreRefused() throws IOException {
    assertThat(check(OWN)).isGreaterThanOrEqualTo(25);
  }

  @Test
  void allFoldersAreRefused() throws IOException {
    String reason = SHARED.toAbsolutePath().normalize() + " is absent: its folders are not tested";
    if (!Files.isDirectory(SHARED)) {
      System.out.println("HostileModelTest: " + reason);
    }
    assumeTrue(Files.isDirectory(SHARED), reason);
    assertThat(check(SHARED)).isGreaterThanOrEqualTo(50);
  }

  /** Even the folders without defect are causal models, which this task refuses by name. */
  private int check(Path root) throws IOException {
    List<Path> models;
    try (Stream<Path> entries = Files.list(root)) {
      models = entries.filter(Files::isDirectory).sorted().toList();
    }
    for (Path model : models) {
      CommandLineRun run =
          CommandLineRun.job(
              "../configs/classify-tickets.yaml",
              List.of(
                  "model.path=" + model,
                  "input.path=../sample-data/tickets.jsonl",
                  "output.path=" + folder.resolve("out")));

      String name = String.valueOf(model.getFileName());
      assertThat(run.exitCode()).as(name).isEqualTo(ExitCode.MODEL);
      assertThat(run.err()).as(name).startsWith("model: ").containsAnyOf(mayBeNamed(model));
      if (OF_A_TENSOR.matcher(name).matches()) {
        assertThat(run.err()).as(name).containsPattern("tensor \\S+\\.weight");
      }
      assertThat(folder.resolve("out")).doesNotExist();
    }
    return models.size();
  }

  /** The file at fault; the folder, where there is none. */
  private static String[] mayBeNamed(Path model) throws IOException {
    try (Stream<Path> files = Files.list(model)) {
      List<String> names =
          files
              .map(file -> String.valueOf(file.getFileName()))
              .filter(file -> !file.equals("expect.json"))
              .toList();
      boolean weightless = names.equals(List.of("config.json"));
      return weightless
          ? new String[] {String.valueOf(model.getFileName())}
          : names.toArray(new String[0]);
    }
  }
}
