package io.sirocco.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.RawRelease;
import io.sirocco.tokenizer.convert.SentencePieceFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** What an earlier run of a conversion has left, or another one is doing. */
class ResumedConversionTest extends ConversionTrial {
  @Test
  void whatIsThereStays() throws IOException {
    FIXTURE.safetensors(from());
    Files.createDirectory(to());
    assertThatExceptionOfType(ModelException.class)
        .isThrownBy(() -> convert(from()))
        .withMessageContaining("converted: exists");
    assertThat(to()).isEmptyDirectory();
  }

  /** The listener ends the run as a kill would: nothing is closed or removed because of it. */
  @Test
  void aRunThatWasKilledGoesOn() throws IOException {
    FIXTURE.safetensors(from());
    ConversionOptions options = cutInto(20_000);
    for (int kill = 1; kill < 8; kill += 2) {
      int at = kill;
      assertThatExceptionOfType(Killed.class)
          .isThrownBy(() -> Conversion.run(options, killAtShard(at)));
      assertThat(to()).doesNotExist();
    }
    Path first =
        Staging.of(to())
            .resolve("model")
            .resolve(
                "model-00001-of-%05d.safetensors"
                    .formatted(
                        Shard.of(RawRelease.open(from()).tensors(), Optional.empty(), 20_000)
                            .size()));
    // The disk has damaged one meanwhile: it is written again.
    byte[] bytes = Files.readAllBytes(first);
    bytes[bytes.length - 1] ^= 1;
    Files.write(first, bytes);

    ConversionReport report = Conversion.run(options, ConversionListener.NONE);

    assertOriginal(to());
    assertThat(report.resumedBytes()).isBetween(20_000L, report.bytes() - 1);
    assertThat(report.notes()).anyMatch(note -> note.contains("written again"));
    assertThat(Staging.of(to())).doesNotExist();
  }

  /** Weights of gigabytes are not written again because of it. */
  @Test
  void anotherTokenizerIsTakenAndTheWeightsStay() throws IOException {
    FIXTURE.safetensors(from());
    Files.writeString(from().resolve("tokenizer.json"), "a tokenizer");
    assertThatExceptionOfType(Killed.class)
        .isThrownBy(() -> Conversion.run(cutInto(20_000), killAtShard(3)));
    Files.delete(from().resolve("tokenizer.json"));
    Files.write(from().resolve("tokenizer.model"), SentencePieceFile.small().bytes());

    ConversionReport report = Conversion.run(cutInto(20_000), ConversionListener.NONE);

    assertOriginal(to());
    assertThat(report.resumedBytes()).isPositive();
    assertThat(report.notes()).contains("tokenizer.json: made of tokenizer.model");
  }

  @Test
  void aProcessThatWasKilledIsTakenOverFrom() throws IOException, InterruptedException {
    FIXTURE.safetensors(from());
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Dying.class.getName(),
                from().toString(),
                to().toString())
            .redirectErrorStream(true)
            .redirectOutput(temporary.resolve("output").toFile())
            .start();
    assertThat(process.waitFor()).isEqualTo(Dying.EXIT_CODE);
    assertThat(to()).doesNotExist();

    ConversionReport report = Conversion.run(cutInto(20_000), ConversionListener.NONE);

    assertOriginal(to());
    assertThat(report.resumedBytes()).isBetween(20_000L, report.bytes() - 1);
  }

  /** Ends at the fifth file without a word, as if it was killed. */
  static final class Dying {
    static final int EXIT_CODE = 137;

    private Dying() {}

    public static void main(String[] arguments) throws IOException {
      Conversion.run(
          new ConversionOptions(
              Path.of(arguments[0]),
              Path.of(arguments[1]),
              Optional.empty(),
              20_000,
              OptionalInt.empty()),
          (done, total, file) -> {
            if (file.startsWith("model-00005") && done > 0) {
              Runtime.getRuntime().halt(EXIT_CODE);
            }
          });
    }
  }

  @Test
  void anotherConversionDoesNotGoOnFromIt() throws IOException {
    FIXTURE.safetensors(from());
    assertThatExceptionOfType(Killed.class)
        .isThrownBy(() -> Conversion.run(cutInto(20_000), killAtShard(3)));
    params("rope_theta", 5.0);
    ConversionReport report = Conversion.run(cutInto(20_000), ConversionListener.NONE);
    assertThat(report.resumedBytes()).isZero();
    assertThat(Checkpoint.open(to()).config().path("rope_theta").asDouble()).isEqualTo(5.0);
  }

  @Test
  void twoRunsDoNotMeet() throws IOException {
    FIXTURE.safetensors(from());
    ConversionListener second =
        (done, total, file) ->
            assertThatExceptionOfType(ModelException.class)
                .isThrownBy(() -> convert(from()))
                .withMessageContaining("is being made by another process");
    Conversion.run(ConversionOptions.of(from(), to()), second);
    assertOriginal(to());
  }

  private static ConversionListener killAtShard(int number) {
    return (done, total, file) -> {
      if (file.startsWith("model-%05d".formatted(number + 1))) {
        throw new Killed();
      }
    };
  }

  private static final class Killed extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }
}
