package io.sirocco.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.RawRelease;
import io.sirocco.checkpoint.Tensor;
import io.sirocco.engine.Inspection;
import io.sirocco.model.MistralConfig;
import io.sirocco.tokenizer.convert.SentencePieceFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Raw releases of every form become the Hugging Face folder they were made of. */
class ConversionTest {
  /** Two key-value heads, heads · head_dim other than hidden_size, bfloat16. */
  private static final Path MODEL = Path.of("src/test/resources/golden/causal-nemo");

  private static final RawFixture FIXTURE = RawFixture.of(MODEL);

  @TempDir private Path temporary;

  private Path to() {
    return temporary.resolve("converted");
  }

  private Path from() {
    return temporary.resolve("raw");
  }

  private ConversionReport convert(Path from) throws IOException {
    return Conversion.run(ConversionOptions.of(from, to()), ConversionListener.NONE);
  }

  private void assertOriginal(Path folder) {
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

  private void refused(Path from, String... words) {
    assertThatExceptionOfType(ModelException.class)
        .isThrownBy(() -> convert(from))
        .satisfies(e -> assertThat(e.getMessage()).contains(words));
    assertThat(to()).doesNotExist();
  }

  private void params(String key, Object value) throws IOException {
    ObjectNode params = FIXTURE.params();
    params.putPOJO(key, value);
    Files.writeString(from().resolve("params.json"), params.toString());
  }

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
  void partsThatCutThroughHeadsAreRefused() throws IOException {
    refused(FIXTURE.pickled(from(), 4), "params.json: 4 parts cannot hold 4 heads on 2 key-value");
  }

  @Test
  void partsOfAnotherNumberAreRefused() throws IOException {
    FIXTURE.pickled(from(), 2);
    Files.delete(from().resolve("consolidated.01.pth"));
    refused(from(), "consolidated.00.pth: tensor tok_embeddings.weight: has shape");
    FIXTURE.pickled(from(), 2);
    Files.delete(from().resolve("consolidated.00.pth"));
    refused(from(), "has the part consolidated.01.pth, but not consolidated.00.pth");
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
  void whatIsNoArchiveIsRefused() throws IOException {
    Path archive = temporary.resolve("release.tar");
    Files.write(archive, new byte[] {0x1f, (byte) 0x8b, 8});
    refused(archive, "release.tar, byte 0", "expected an uncompressed tar archive");
    byte[] tar =
        Files.readAllBytes(RawFixture.tar(FIXTURE.pickled(from(), 1), temporary.resolve("whole")));
    Files.write(archive, Arrays.copyOf(tar, tar.length / 2));
    refused(archive, "goes beyond the archive's end");
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

  private ConversionOptions cutInto(long bytes) {
    return new ConversionOptions(from(), to(), Optional.empty(), bytes, OptionalInt.empty());
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

  @Test
  void windowsComeAsNumbersTextsAndLists() throws IOException {
    FIXTURE.safetensors(from());
    for (Object window : new Object[] {8, "8", List.of(8, 8)}) {
      params("sliding_window", window);
      Path folder = temporary.resolve("window-" + window.getClass().getSimpleName());
      Conversion.run(ConversionOptions.of(from(), folder), ConversionListener.NONE);
      assertThat(Checkpoint.open(folder).config().path("sliding_window").asInt()).isEqualTo(8);
    }
    params("sliding_window", List.of(8, 16));
    refused(from(), "params.json: sliding_window is [8,16]", "the same window for all layers");
    params("sliding_window", "eight");
    refused(from(), "params.json: sliding_window is", "an integer of 1 or more");
  }

  @Test
  void otherModelsAreRefusedByName() throws IOException {
    FIXTURE.safetensors(from());
    for (String key : List.of("moe", "vision_encoder", "lora", "quantization")) {
      params(key, Map.of("num_experts", 8));
      refused(from(), "params.json: " + key + " makes this another model");
    }
    params("moe", null);
    convert(from());
  }

  @Test
  void whatParamsLeaveOpenIsSaid() throws IOException {
    FIXTURE.safetensors(from());
    ObjectNode params = FIXTURE.params();
    params.remove(List.of("rope_theta", "max_seq_len"));
    params.put("novelty", 1);
    Files.writeString(from().resolve("params.json"), params.toString());
    ConversionReport report = convert(from());
    assertThat(report.notes())
        .anyMatch(note -> note.contains("10000 is taken"))
        .anyMatch(note -> note.contains("[novelty]"));
    ObjectNode config = (ObjectNode) Checkpoint.open(to()).config();
    assertThat(config.at("/rope_parameters/rope_theta").asDouble()).isEqualTo(10_000);
    assertThat(config.path("max_position_embeddings").asInt()).isEqualTo(32_768);
  }

  @Test
  void tensorsThatDoNotFitAreNamed() throws IOException {
    FIXTURE.safetensors(from());
    params("n_layers", FIXTURE.params().path("n_layers").asInt() + 1);
    refused(from(), "tensor layers.", ".attention.wq.weight is missing");
    params("n_layers", 1);
    refused(from(), "tensors that no Mistral of 1 layers has: layers.1.");
    params("hidden_dim", 10);
    refused(from(), "consolidated.safetensors: tensor layers.0.feed_forward.w1.weight: has shape");
    Files.delete(from().resolve("consolidated.safetensors"));
    refused(from(), "holds no weights");
  }

  @Test
  void foldersThatAreNoReleaseAreRefused() throws IOException {
    refused(MODEL, "params.json: is missing", "raw release");
    refused(temporary.resolve("nowhere"), "does not exist");
  }
}
