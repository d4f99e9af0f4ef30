package io.sirocco.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.Tensor;
import io.sirocco.model.MistralConfig;
import io.sirocco.model.MistralWeights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Damaged, malicious and unusual model folders: which are refused, and in what words. */
class HostileFolderTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @Test
  void ownHostileFoldersAreRefusedByName() throws IOException {
    assertThat(checkHostile(GoldenFolder.OWN.resolve("hostile"))).isGreaterThanOrEqualTo(25);
  }

  @Test
  void allHostileFoldersAreRefusedByName() throws IOException {
    assertThat(checkHostile(shared("hostile"))).isGreaterThanOrEqualTo(50);
  }

  @Test
  void foldersOfEveryLayoutLoad() throws IOException {
    List<Path> folders = folders(shared("loading"));
    for (Path folder : folders) {
      assertThat(load(folder)).as(folder.toString()).isPositive();
    }
    System.out.printf("HostileFolderTest: %d layouts loaded%n", folders.size());
    assertThat(folders).hasSizeGreaterThanOrEqualTo(28);
  }

  private static Path shared(String part) {
    Path folder = GoldenFolder.SHARED.resolve(part).toAbsolutePath().normalize();
    String reason = folder + " is absent: its folders are not tested";
    if (!Files.isDirectory(folder)) {
      System.out.println("HostileFolderTest: " + reason);
    }
    assumeTrue(Files.isDirectory(folder), reason);
    return folder;
  }

  private static List<Path> folders(Path root) throws IOException {
    try (Stream<Path> entries = Files.list(root)) {
      return entries.filter(Files::isDirectory).sorted().toList();
    }
  }

  private static int checkHostile(Path root) throws IOException {
    List<Path> folders = folders(root);
    for (Path folder : folders) {
      String expect = JSON.readTree(folder.resolve("expect.json").toFile()).path("expect").asText();
      if (expect.startsWith("load")) {
        assertThat(load(folder)).as(folder.toString()).isPositive();
      } else if (expect.equals("reject")) {
        ModelException refusal = refusal(folder);
        assertThat(refusal).as(folder + " loads").isNotNull();
        checkMessage(folder, refusal);
      } else {
        ModelException refusal = refusal(folder);
        if (refusal != null) {
          checkMessage(folder, refusal);
        }
      }
    }
    System.out.println("HostileFolderTest: " + folders.size() + " folders of " + root);
    return folders.size();
  }

  /** The refusal, or null if the folder loads; any other exception fails the test. */
  private static ModelException refusal(Path folder) {
    try {
      load(folder);
      return null;
    } catch (ModelException e) {
      return e;
    }
  }

  private static void checkMessage(Path folder, ModelException refusal) throws IOException {
    String name = String.valueOf(folder.getFileName());
    String message = refusal.getMessage();
    boolean namesFile;
    try (Stream<Path> files = Files.list(folder)) {
      namesFile = files.anyMatch(file -> message.contains(String.valueOf(file.getFileName())));
    }
    boolean holdsNothing = name.equals("no-weights") && message.contains(name);
    assertThat(namesFile || holdsNothing || message.contains("tensor "))
        .as(name + ": " + message)
        .isTrue();
    if (name.contains("pickle") || name.startsWith("raw-")) {
      assertThat(message).contains("nothing in it was executed").containsAnyOf(".bin", ".pth");
    }
  }

  /** Opens the model and reads every weight; the number of rows read. */
  private static long load(Path folder) {
    Checkpoint checkpoint = Checkpoint.open(folder);
    MistralConfig config = MistralConfig.parse(checkpoint.config(), folder + "/config.json");
    MistralWeights weights = MistralWeights.of(checkpoint, config);
    Tensor head = isClassifier(checkpoint.config()) ? weights.score() : weights.lmHead();
    return Stream.concat(
            Stream.of(weights.embedTokens(), weights.norm(), head),
            weights.linearWeights().stream())
        .mapToLong(HostileFolderTest::readAll)
        .sum();
  }

  private static boolean isClassifier(JsonNode config) {
    return config.path("architectures").path(0).asText().endsWith("ForSequenceClassification");
  }

  private static long readAll(Tensor tensor) {
    float[] row = new float[tensor.columns()];
    for (int i = 0; i < tensor.rows(); i++) {
      tensor.readRow(i, row);
    }
    return tensor.rows();
  }
}
