package io.sirocco.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.sirocco.checkpoint.ModelException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A release whose files are written to while, or after, some of it was converted. */
class ChangedReleaseTest {
  private static final RawFixture FIXTURE =
      RawFixture.of(Path.of("src/test/resources/golden/causal-nemo"));

  private static final String INDEX = "consolidated.safetensors.index.json";

  @TempDir private Path temporary;

  private Path from;
  private Path weights;

  /** The index gives its shards a name that no pattern knows. */
  @BeforeEach
  void release() throws IOException {
    from = FIXTURE.shards(temporary.resolve("raw"));
    weights = from.resolve("second.safetensors");
    String usual = "consolidated-00002-of-00002.safetensors";
    Files.move(from.resolve(usual), weights);
    String index = Files.readString(from.resolve(INDEX));
    Files.writeString(from.resolve(INDEX), index.replace(usual, "second.safetensors"));
  }

  private ConversionOptions options() {
    return new ConversionOptions(
        from, temporary.resolve("converted"), Optional.empty(), 20_000, OptionalInt.empty());
  }

  /** As {@code rsync --inplace} and downloads into files of full length do. */
  private void writeInPlace() {
    try {
      byte[] bytes = Files.readAllBytes(weights);
      bytes[bytes.length - 1] ^= 1;
      Files.write(weights, bytes);
      Files.setLastModifiedTime(weights, FileTime.fromMillis(1_000_000_000_000L));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void convertHalf() {
    ConversionListener stops =
        (done, total, file) -> {
          if (done > total / 2) {
            throw new IllegalStateException("stopped");
          }
        };
    assertThatExceptionOfType(IllegalStateException.class)
        .isThrownBy(() -> Conversion.run(options(), stops));
  }

  @Test
  void whatChangesMeanwhileIsNotPublished() {
    ConversionListener writes =
        (done, total, file) -> {
          if (done == total) {
            writeInPlace();
          }
        };
    assertThatExceptionOfType(ModelException.class)
        .isThrownBy(() -> Conversion.run(options(), writes))
        .withMessageContaining("changed while it was converted");
    assertThat(temporary.resolve("converted")).doesNotExist();
  }

  @Test
  void nothingOfAnotherStateIsGoneOnWith() throws IOException {
    convertHalf();
    writeInPlace();
    assertThat(Conversion.run(options(), ConversionListener.NONE).resumedBytes()).isZero();
  }

  @Test
  void theSameStateIsGoneOnWith() throws IOException {
    convertHalf();
    assertThat(Conversion.run(options(), ConversionListener.NONE).resumedBytes()).isPositive();
  }
}
