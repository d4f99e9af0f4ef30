package io.sirocco.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.Tensor;
import io.sirocco.engine.Inspection;
import io.sirocco.tokenizer.convert.SentencePieceFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Raw releases of every form become the Hugging Face folder they were made of. */
class ConversionTest extends ConversionTrial {
  @Test
  void wholeSafetensors() throws IOException {
    ConversionReport report = convert(FIXTURE.safetensors(from()));
    assertOriginal(to());
    assertThat(report.folder()).isEqualTo(to());
    assertThat(report.files()).isEqualTo(1);
    assertThat(report.bytes()).isEqualTo(Checkpoint.open(MODEL).bytes());
    assertThat(report.resumedBytes()).isZero();
    assertThat(Staging.of(to())).doesNotExist();
  }

  @Test
  void shardsWithAndWithoutIndex() throws IOException {
    convert(FIXTURE.shards(from()));
    assertOriginal(to());
    Files.delete(from().resolve("consolidated.safetensors.index.json"));
    Path second = temporary.resolve("second");
    Conversion.run(ConversionOptions.of(from(), second), ConversionListener.NONE);
    assertOriginal(second);
    Files.delete(from().resolve("consolidated-00002-of-00002.safetensors"));
    assertThatExceptionOfType(ModelException.class)
        .isThrownBy(
            () ->
                Conversion.run(
                    ConversionOptions.of(from(), temporary.resolve("third")),
                    ConversionListener.NONE))
        .withMessageContaining("one of 2 shards, of which not all are there");
  }

  @Test
  void onePickle() throws IOException {
    convert(FIXTURE.pickled(from(), 1));
    assertOriginal(to());
  }

  @Test
  void twoPartsOfGroupedQueryHeads() throws IOException {
    assertThat(FIXTURE.params().path("n_kv_heads").asInt()).isEqualTo(2);
    convert(FIXTURE.pickled(from(), 2));
    assertOriginal(to());
  }

  @Test
  void archivesAreReadInPlace() throws IOException {
    FIXTURE.pickled(from(), 1);
    Files.writeString(from().resolve("tokenizer.json"), "a tokenizer");
    convert(RawFixture.tar(from(), temporary.resolve("release.tar")));
    assertOriginal(to());
    assertThat(to().resolve("tokenizer.json")).hasContent("a tokenizer");
  }

  @Test
  void tokenizerIsMadeOfWhatTheReleaseHas() throws IOException {
    FIXTURE.safetensors(from());
    byte[] model = SentencePieceFile.small().bytes();
    Files.write(from().resolve("tokenizer.model"), model);
    assertThat(convert(from()).notes())
        .contains("tokenizer.json: made of tokenizer.model")
        .anyMatch(note -> note.startsWith("chat_template.jinja"));
    assertThat(to().resolve("tokenizer.model")).hasBinaryContent(model);
    assertThat(to().resolve("tokenizer.json")).exists();
    assertThat(to().resolve("tokenizer_config.json")).exists();
  }

  @Test
  void damagedTokenizerIsFoundBeforeTheWeightsAreConverted() throws IOException {
    FIXTURE.safetensors(from());
    Files.writeString(from().resolve("tokenizer.model"), "no tokenizer");
    refused(from(), "is no SentencePiece model");
    try (Stream<Path> files = Files.walk(temporary)) {
      assertThat(files.filter(file -> file.endsWith("model.safetensors"))).isEmpty();
    }
  }

  @Test
  void filesOfTheTokenizerAreCopied() throws IOException {
    FIXTURE.safetensors(from());
    for (String name : List.of("tokenizer.model.v3", "tekken.json", "tokenizer.json", "README")) {
      Files.writeString(from().resolve(name), name);
    }
    assertThat(convert(from()).notes()).noneMatch(note -> note.contains("tokenizer.json"));
    assertThat(to().resolve("tokenizer.model.v3")).hasContent("tokenizer.model.v3");
    assertThat(to().resolve("tekken.json")).hasContent("tekken.json");
    assertThat(to().resolve("tokenizer.json")).hasContent("tokenizer.json");
    assertThat(to().resolve("README")).doesNotExist();
  }

  @Test
  void shardsAreCutAndIndexed() throws IOException {
    FIXTURE.safetensors(from());
    ConversionReport report = Conversion.run(cutInto(20_000), ConversionListener.NONE);
    assertOriginal(to());
    assertThat(report.files()).isGreaterThan(2);
    try (Stream<Path> files = Files.list(to())) {
      assertThat(files.filter(file -> file.toString().endsWith(".safetensors")))
          .hasSize(report.files())
          .allMatch(
              file -> file.toString().endsWith("-of-%05d.safetensors".formatted(report.files())))
          .allMatch(file -> file.toFile().length() < 20_000 + 4_000);
    }
    assertThat(
            Checkpoint.open(to())
                .json("model.safetensors.index.json")
                .orElseThrow()
                .at("/metadata/total_size")
                .asLong())
        .isEqualTo(report.bytes());
  }

  @Test
  void otherTypesAreRounded() throws IOException {
    FIXTURE.safetensors(from());
    for (ElementType type : ElementType.values()) {
      Path folder = temporary.resolve(type.name());
      ConversionOptions options =
          new ConversionOptions(from(), folder, Optional.of(type), 1 << 20, OptionalInt.of(99));
      Conversion.run(options, ConversionListener.NONE);
      Checkpoint converted = Checkpoint.open(folder);
      assertThat(converted.config().path("max_position_embeddings").asInt()).isEqualTo(99);
      String dtype = converted.config().path("dtype").asText();
      assertThat(dtype).isEqualTo(converted.config().path("torch_dtype").asText());
      assertThat(dtype).startsWith(type == ElementType.BF16 ? "bfloat16" : "float");
      for (String name : converted.names()) {
        Tensor got = converted.find(name).orElseThrow();
        Tensor wanted = Checkpoint.open(MODEL).find(name).orElseThrow();
        assertThat(got.type()).isEqualTo(type);
        float[] row = new float[got.columns()];
        float[] original = new float[got.columns()];
        for (int i = 0; i < got.rows(); i++) {
          got.readRow(i, row);
          wanted.readRow(i, original);
          // Small weights of bfloat16 are exact in half precision down to its subnormal numbers.
          for (int column = 0; column < row.length; column++) {
            float unit = type == ElementType.F16 ? 0x1p-25f : 0;
            assertThat(Math.abs(row[column] - original[column])).isLessThanOrEqualTo(unit);
          }
        }
      }
    }
  }

  @Test
  void anArchiveTellsWhichTokenizerItHas() throws IOException {
    FIXTURE.safetensors(from());
    assertThat(inspectedArchive("none.tar")).isEmpty();
    Files.write(from().resolve("tokenizer.model"), SentencePieceFile.small().bytes());
    assertThat(inspectedArchive("raw.tar")).contains("tokenizer.model");
    Files.writeString(from().resolve("tokenizer.json"), "{}");
    assertThat(inspectedArchive("both.tar")).contains("tokenizer.json");
  }

  private Optional<String> inspectedArchive(String name) throws IOException {
    return Inspection.of(RawFixture.tar(from(), temporary.resolve(name))).tokenizer();
  }

  @Test
  void allThatIsWrittenIsReadBackWithAWord() throws IOException {
    FIXTURE.safetensors(from());
    Map<String, Long> read = new TreeMap<>();
    ConversionReport report =
        Conversion.run(
            cutInto(20_000),
            new ConversionListener() {
              @Override
              public void at(long done, long total, String file) {
                assertThat(done).isLessThanOrEqualTo(total);
              }

              @Override
              public void readBack(long bytes, long total, String file) {
                assertThat(bytes).isBetween(read.getOrDefault(file, 0L), total);
                read.put(file, bytes);
              }
            });
    assertThat(read).hasSize(report.files());
    assertThat(read.values().stream().mapToLong(Long::longValue).sum()).isEqualTo(report.bytes());
  }
}
