package io.sirocco.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.Tensor;
import io.sirocco.model.MistralConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.io.TempDir;

/** A release of a small model, and the folder that it is converted to. */
abstract class ConversionTrial {
  /** Two key-value heads, heads · head_dim other than hidden_size, bfloat16. */
  static final Path MODEL = Path.of("src/test/resources/golden/causal-nemo");

  static final RawFixture FIXTURE = RawFixture.of(MODEL);

  @TempDir Path temporary;

  Path to() {
    return temporary.resolve("converted");
  }

  Path from() {
    return temporary.resolve("raw");
  }

  ConversionReport convert(Path from) throws IOException {
    return Conversion.run(ConversionOptions.of(from, to()), ConversionListener.NONE);
  }

  void assertOriginal(Path folder) {
    Checkpoint original = Checkpoint.open(MODEL);
    Checkpoint converted = Checkpoint.open(folder);
    assertThat(converted.names()).isEqualTo(original.names());
    for (String name : original.names()) {
      Tensor wanted = original.find(name).orElseThrow();
      Tensor got = converted.require(name, longs(wanted));
      assertThat(got.type()).as(name).isEqualTo(wanted.type());
      assertThat(got.slabs()).as(name).isEqualTo(wanted.slabs());
    }
    assertThat(MistralConfig.parse(converted.config(), "converted"))
        .isEqualTo(MistralConfig.parse(original.config(), "original"));
    assertThat(converted.json("generation_config.json")).isPresent();
  }

  private static long[] longs(Tensor tensor) {
    return tensor.shape().stream().mapToLong(Long::longValue).toArray();
  }

  void refused(Path from, String... words) {
    assertThatExceptionOfType(ModelException.class)
        .isThrownBy(() -> convert(from))
        .satisfies(e -> assertThat(e.getMessage()).contains(words));
    assertThat(to()).doesNotExist();
  }

  void params(String key, Object value) throws IOException {
    ObjectNode params = FIXTURE.params();
    params.putPOJO(key, value);
    Files.writeString(from().resolve("params.json"), params.toString());
  }

  ConversionOptions cutInto(long bytes) {
    return new ConversionOptions(from(), to(), Optional.empty(), bytes, OptionalInt.empty());
  }
}
