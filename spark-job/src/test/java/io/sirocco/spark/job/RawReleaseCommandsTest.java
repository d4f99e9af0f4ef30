package io.sirocco.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sirocco.spark.LocalSpark;
import io.sirocco.spark.RawRelease;
import io.sirocco.spark.config.ByteSize;
import io.sirocco.spark.config.ConfigException;
import io.sirocco.spark.run.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The writer of the sample data as a raw release: inspected, converted, and used as it is. */
class RawReleaseCommandsTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private static Path shared;

  private static SparkSession spark;
  private static Path raw;

  @TempDir private Path folder;

  @BeforeAll
  static void start() throws IOException {
    spark = LocalSpark.builder("local[2]").getOrCreate();
    raw = RawRelease.write(shared.resolve("raw"));
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  private CommandLineRun convert(String... more) {
    String[] arguments = new String[more.length + 3];
    arguments[0] = "convert";
    arguments[1] = "--from=" + raw;
    arguments[2] = "--to=" + folder.resolve("converted");
    System.arraycopy(more, 0, arguments, 3, more.length);
    return CommandLineRun.of(arguments);
  }

  private static JsonNode inspected(Path path, int exitCode) throws IOException {
    CommandLineRun run = CommandLineRun.of("inspect", path.toString(), "--json");
    assertThat(run.exitCode()).as(run.err()).isEqualTo(exitCode);
    return JSON.readTree(run.out());
  }

  /** By id. */
  private Map<String, String> answers(Path model) {
    CommandLineRun run =
        CommandLineRun.job(
            "../configs/answer-chats.yaml",
            List.of(
                "model.path=" + model,
                "model.precision=float32",
                "input.path=../sample-data/chats.jsonl",
                "output.path=" + folder.resolve("out"),
                "output.mode=overwrite"));
    assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.DONE);
    Map<String, String> answers = new HashMap<>();
    for (Row row : spark.read().parquet(folder.resolve("out").toString()).collectAsList()) {
      answers.put(row.getAs("id"), row.getAs("generated_text"));
    }
    return answers;
  }

  @Test
  void aJobAnswersTheSameWithAReleaseAsItIs() throws IOException {
    Map<String, String> answers = answers(raw);
    List<String> expected = Files.readAllLines(Path.of("../sample-data/expected-generate.jsonl"));
    assertThat(answers).hasSameSizeAs(expected);
    for (String line : expected) {
      JsonNode reference = JSON.readTree(line);
      assertThat(answers)
          .containsEntry(reference.path("id").asText(), reference.path("text").asText());
    }
  }

  @Test
  void convertedIsTheOriginal() throws IOException {
    CommandLineRun run = convert();

    assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.DONE);
    assertThat(run.err()).contains("(100%)", "model.safetensors");
    assertThat(run.out()).contains("converted    ", "1 file, ");
    for (String name : List.of("model.safetensors", "tokenizer.json")) {
      assertThat(folder.resolve("converted").resolve(name))
          .hasSameBinaryContentAs(RawRelease.WRITER.resolve(name));
    }
    JsonNode got = inspected(folder.resolve("converted"), ExitCode.DONE);
    JsonNode original = inspected(RawRelease.WRITER, ExitCode.DONE);
    for (String key : List.of("kind", "model", "weights", "tokenizer", "problems")) {
      assertThat(got.get(key)).as(key).isEqualTo(original.get(key));
    }
    assertThat(got.path("kind").asText()).isEqualTo("hugging-face");
    assertThat(got.at("/memory/float32/weights_mapped").asLong())
        .isEqualTo(got.at("/weights/bytes").asLong());
    assertThat(convert().exitCode()).isEqualTo(ExitCode.MODEL);
    assertThat(convert().err()).contains("converted: exists");
  }

  @Test
  void optionsOfAConversion() throws IOException {
    CommandLineRun run =
        convert("--dtype=float16", "--max-shard-size=1MB", "--max-position-embeddings=77");

    assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.DONE);
    JsonNode got = inspected(folder.resolve("converted"), ExitCode.DONE);
    assertThat(got.at("/weights/files").asInt()).isGreaterThan(3);
    assertThat(got.at("/weights/bytes_by_dtype/F16")).isEqualTo(got.at("/weights/bytes"));
    assertThat(got.at("/model/max_position_embeddings").asInt()).isEqualTo(77);
    assertThat(got.at("/memory/bfloat16/weights_mapped").asLong()).isPositive();
  }

  @Test
  void wrongOptionsAreTold() {
    assertThat(convert("--dtype=int8").exitCode()).isEqualTo(ExitCode.CONFIGURATION);
    CommandLineRun size = convert("--max-shard-size=5 tons");
    assertThat(size.exitCode()).isEqualTo(ExitCode.CONFIGURATION);
    assertThat(size.err()).contains("--max-shard-size is '5 tons', expected a size such as 5GB");
    CommandLineRun remote = CommandLineRun.of("convert", "--from=" + raw, "--to=hdfs:///model");
    assertThat(remote.err()).contains("--to is 'hdfs:///model', expected a path of this machine");
  }

  @Test
  void sizesAreReadAsPeopleWriteThem() {
    assertThat(ByteSize.parse("k", "5GB")).isEqualTo(5_000_000_000L);
    assertThat(ByteSize.parse("k", "4GiB")).isEqualTo(4L << 30);
    assertThat(ByteSize.parse("k", "500mb")).isEqualTo(500_000_000L);
    assertThat(ByteSize.parse("k", "12")).isEqualTo(12);
    for (String wrong : new String[] {"", "0", "GB", "-1GB", "1.5GB", "3iB", "999999999999TB"}) {
      assertThatExceptionOfType(ConfigException.class)
          .as(wrong)
          .isThrownBy(() -> ByteSize.parse("k", wrong));
    }
  }

  @Test
  void aReleaseIsInspectedAsItIs() throws IOException {
    JsonNode got = inspected(raw, ExitCode.DONE);
    assertThat(got.path("kind").asText()).isEqualTo("raw-release");
    assertThat(got.at("/model"))
        .isEqualTo(inspected(RawRelease.WRITER, ExitCode.DONE).at("/model"));
    assertThat(got.path("tokenizer").asText()).isEqualTo("tokenizer.json");
    assertThat(got.path("chat_template").asBoolean()).isTrue();
    assertThat(got.at("/memory/float32/weights_copied").asLong()).isPositive();
    assertThat(
            got.at("/memory/float32/weights_copied").asLong()
                + got.at("/memory/float32/weights_mapped").asLong())
        .isEqualTo(got.at("/weights/bytes").asLong());
  }

  @Test
  void whatIsWrongIsSaidAllAtOnce() throws IOException {
    Path broken = Files.createDirectory(folder.resolve("broken"));
    for (String name : List.of("config.json", "model.safetensors")) {
      Files.copy(RawRelease.WRITER.resolve(name), broken.resolve(name));
    }
    String config = Files.readString(broken.resolve("config.json"));
    Files.writeString(
        broken.resolve("config.json"),
        config.replace("\"intermediate_size\": 512", "\"intermediate_size\": 511"));
    JsonNode got = inspected(broken, ExitCode.MODEL);
    // Three matrices in each of five layers, and no tokenizer.
    assertThat(got.path("problems")).hasSize(16);
    assertThat(got.path("problems").toString())
        .contains("layers.0.mlp.gate_proj.weight", "layers.4.mlp.down_proj.weight", "tokenizer");
    assertThat(got.path("memory")).isEmpty();

    CommandLineRun people = CommandLineRun.of("inspect", broken.toString());
    assertThat(people.exitCode()).isEqualTo(ExitCode.MODEL);
    assertThat(people.out()).contains("kind         hugging-face", "problem      ");
  }

  @Test
  void foldersWithoutAModelAreTold() throws IOException {
    Path other = Files.createDirectory(folder.resolve("other"));
    assertThat(inspected(other, ExitCode.MODEL).path("kind").asText()).isEqualTo("unknown");
    Files.copy(RawRelease.WRITER.resolve("tokenizer.json"), other.resolve("tokenizer.json"));
    assertThat(inspected(other, ExitCode.MODEL).path("kind").asText()).isEqualTo("tokenizer");
    Files.writeString(other.resolve("adapter_config.json"), "{}");
    assertThat(inspected(other, ExitCode.MODEL).path("kind").asText()).isEqualTo("adapter");
    Files.writeString(other.resolve("consolidated.00.pth"), "no archive");
    Files.copy(raw.resolve("params.json"), other.resolve("params.json"));
    JsonNode pickled = inspected(other, ExitCode.MODEL);
    assertThat(pickled.path("kind").asText()).isEqualTo("raw-release-to-convert");
    assertThat(pickled.path("problems").toString()).contains("nothing in it was executed");
    assertThat(inspected(folder.resolve("nowhere"), ExitCode.MODEL).path("problems").toString())
        .contains("does not exist");
  }
}
