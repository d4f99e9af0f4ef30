package io.sirocco.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.convert.Conversion;
import io.sirocco.convert.ConversionListener;
import io.sirocco.convert.ConversionOptions;
import io.sirocco.convert.RawFixture;
import io.sirocco.golden.GoldenModel.With;
import io.sirocco.kernel.Precision;
import io.sirocco.model.MistralConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Raw releases, converted and opened as they are, against what the reference makes of them. */
class RawReleaseTest {
  private static final Path OWN = GoldenFolder.OWN.resolve("causal-nemo");

  @TempDir private Path temporary;

  private static Path shared(String name) {
    Path folder = GoldenFolder.SHARED.resolve(name);
    String reason = folder + " is absent: its raw releases are not tested";
    if (!Files.isDirectory(folder)) {
      System.out.println("RawReleaseTest: " + reason);
    }
    assumeTrue(Files.isDirectory(folder), reason);
    return folder;
  }

  /** The reference was told how many positions there are: the releases are silent about it. */
  private Path converted(Path raw) throws IOException {
    ConversionOptions options =
        new ConversionOptions(
            raw,
            temporary.resolve("converted"),
            Optional.empty(),
            ConversionOptions.DEFAULT_SHARD_BYTES,
            OptionalInt.of(512));
    return Conversion.run(options, ConversionListener.NONE).folder();
  }

  @ParameterizedTest
  @ValueSource(strings = {"raw-v01", "raw-v03"})
  void convertedIsWhatTransformersConverts(String name) throws IOException {
    Path raw = shared(name);
    Path expected = raw.resolve("expected");
    Path converted = converted(raw);
    assertThat(converted.resolve("model.safetensors"))
        .hasSameBinaryContentAs(expected.resolve("model.safetensors"));
    assertHolds(converted, expected, "config.json");
    assertHolds(converted, expected, "generation_config.json");
    assertThat(MistralConfig.parse(Checkpoint.open(converted).config(), "converted"))
        .isEqualTo(MistralConfig.parse(Checkpoint.open(expected).config(), "expected"));
  }

  /**
   * Every key that the reference has, but those that tell of the writer or say what goes unsaid.
   */
  private static void assertHolds(Path converted, Path expected, String file) throws IOException {
    JsonNode got = GoldenFolder.JSON.readTree(converted.resolve(file).toFile());
    JsonNode wanted = GoldenFolder.JSON.readTree(expected.resolve(file).toFile());
    for (Iterator<String> keys = wanted.fieldNames(); keys.hasNext(); ) {
      String key = keys.next();
      boolean ofTheWriter =
          file.startsWith("generation")
              && (key.equals("transformers_version")
                  || key.startsWith("output_")
                  || key.equals("use_cache"));
      if (!ofTheWriter) {
        assertThat(got.get(key)).as(file + ": " + key).isEqualTo(wanted.get(key));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"raw-v01", "raw-v03"})
  void logitsOfConvertedReleases(String name) throws IOException {
    Path raw = shared(name);
    for (With with : With.values()) {
      assertLogits(converted(raw), GoldenFolder.open(raw), with);
      deleteConverted();
    }
  }

  private void deleteConverted() throws IOException {
    try (var files = Files.list(temporary.resolve("converted"))) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(temporary.resolve("converted"));
  }

  @ParameterizedTest
  @EnumSource(With.class)
  void logitsOfAReleaseOpenedAsItIs(With with) throws IOException {
    assertLogits(shared("raw-v03"), GoldenFolder.open(shared("raw-v03")), with);
  }

  @ParameterizedTest
  @EnumSource(With.class)
  void logitsOfTheOwnReleaseOpenedAsItIs(With with) {
    Path raw = RawFixture.of(OWN).safetensors(temporary.resolve("raw"));
    assertLogits(raw, GoldenFolder.open(OWN), with);
    Checkpoint opened = Checkpoint.open(raw);
    Checkpoint original = Checkpoint.open(OWN);
    assertThat(opened.names()).isEqualTo(original.names());
    opened
        .names()
        .forEach(
            name ->
                assertThat(opened.find(name).orElseThrow().slabs())
                    .as(name)
                    .isEqualTo(original.find(name).orElseThrow().slabs()));
    // Two matrices of each layer are copied, and nothing else.
    assertThat(opened.copiedBytes()).isBetween(1L, opened.bytes() / 2);
    assertThat(original.copiedBytes()).isZero();
    assertThat(opened.fingerprint()).isNotEqualTo(original.fingerprint());
  }

  private static void assertLogits(Path model, GoldenFolder golden, With with) {
    assertThat(golden.casesOf("forward")).isNotEmpty();
    try (GoldenModel opened = GoldenModel.open(model, with, Precision.FLOAT32)) {
      for (JsonNode forward : golden.casesOf("forward")) {
        GoldenModelTest.assertForward(golden, opened, forward);
      }
    }
  }

  @Test
  void picklesAreNotOpenedAsTheyAre() {
    Path raw = shared("raw-v01");
    assertThatExceptionOfType(ModelException.class)
        .isThrownBy(() -> Checkpoint.open(raw))
        .withMessageContaining("consolidated.00.pth: is pickled")
        .withMessageContaining("convert --from " + raw + " --to HF_FOLDER");
  }

  @Test
  void maliciousReleasesAreRefusedByNameAndPlace() {
    for (String name : new String[] {"raw-pickle-code", "raw-not-zip"}) {
      Path raw = shared("hostile").resolve(name);
      assertThatExceptionOfType(ModelException.class)
          .isThrownBy(() -> converted(raw))
          .withMessageContaining("consolidated.00.pth")
          .withMessageContaining("nothing in it was executed")
          .withMessageMatching(
              name.contains("code")
                  ? "(?s).*byte [0-9]+: a call of (posix|os)\\.system.*"
                  : "(?s).*zip.*");
    }
    assertThat(temporary).isEmptyDirectory();
  }
}
