package io.sirocco.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sirocco.bench.Geometry;
import io.sirocco.bench.SyntheticCheckpoint;
import io.sirocco.spark.LocalSpark;
import io.sirocco.spark.run.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * What computing nothing twice is worth: jobs over one layer of the 7B geometry, whose rows share
 * an instruction of 400 tokens and have 60 of their own. Takes minutes, so it runs on request only:
 * {@code -Dsirocco.twice.rows=120} sets the number of rows.
 */
@EnabledIfSystemProperty(
    named = "sirocco.twice.rows",
    matches = "\\d+",
    disabledReason = "takes minutes: -Dsirocco.twice.rows=120 runs it")
class NothingTwiceSpeedTest {
  private static final int ROWS = Integer.getInteger("sirocco.twice.rows", 120);
  private static final int REPETITIONS = 3;
  private static final int INSTRUCTION = 400;
  private static final int OWN = 60;
  private static final double DUPLICATES = 0.3;

  /** Of a machine whose processor is busy with nothing else. */
  private static final double LEAST_GAIN = 4;

  @TempDir static Path folder;
  private static SparkSession spark;
  private final Random random = new Random(1);

  @BeforeAll
  static void prepare() throws IOException {
    SyntheticCheckpoint.write(folder.resolve("model"), Geometry.MISTRAL_7B, 1);
    spark = LocalSpark.builder("local[2]").getOrCreate();
  }

  @AfterAll
  static void stopSpark() {
    spark.stop();
  }

  @Test
  void aSharedInstructionMakesTheJobFourTimesAsFast() throws IOException {
    // Its tokenizer has a token for each byte.
    String template = "input.template='" + text(INSTRUCTION) + "{text}'";
    input("rows", ROWS);
    // Answers that are kept from one repetition to the next are another matter.
    String each = "batch.deduplicate=none";
    run("warm-up", "rows", template, each);
    List<Double> shared = new ArrayList<>();
    List<Double> whole = new ArrayList<>();
    for (int repetition = 0; repetition < REPETITIONS; repetition++) {
      shared.add(ROWS / seconds(run("shared", "rows", template, each)));
      whole.add(ROWS / seconds(run("whole", "rows", template, each, "batch.shared-prefix=none")));
    }
    double gain = median(shared) / median(whole);
    System.out.printf(
        "%d rows of %d + %d tokens: rows/s shared %s, whole %s; medians %.2f and %.2f, %.2f times%n",
        ROWS, INSTRUCTION, OWN, shared, whole, median(shared), median(whole), gain);
    System.out.println("shared: " + record("shared").path("this_run"));
    assertThat(answers("shared")).isEqualTo(answers("whole"));
    assertThat(gain).isGreaterThanOrEqualTo(LEAST_GAIN);
  }

  @Test
  void duplicatesAreSavedInFull() throws IOException {
    String template = "input.template='{text}'";
    int distinct = (int) Math.round(ROWS * (1 - DUPLICATES));
    input("duplicates", distinct);
    List<Double> once = new ArrayList<>();
    List<Double> each = new ArrayList<>();
    run("warm-up", "duplicates", template, "batch.deduplicate=none");
    for (int repetition = 0; repetition < REPETITIONS; repetition++) {
      once.add(seconds(run("once", "duplicates", template)));
      each.add(seconds(run("each", "duplicates", template, "batch.deduplicate=none")));
    }
    System.out.printf(
        "%d rows, %d distinct: seconds once %s, each %s; medians %.2f and %.2f%n",
        ROWS, distinct, once, each, median(once), median(each));
    JsonNode saved = record("once").path("this_run");
    System.out.println("once: " + saved);
    assertThat(answers("once")).isEqualTo(answers("each"));
    assertThat(saved.path("duplicate_rows").asInt()).isEqualTo(ROWS - distinct);
    assertThat(saved.path("computed_tokens").asLong())
        .isEqualTo(record("each").at("/this_run/computed_tokens").asLong() * distinct / ROWS);
  }

  /** {@code ROWS} rows with so many different texts. */
  private void input(String name, int distinct) throws IOException {
    List<String> texts = new ArrayList<>();
    List<String> lines = new ArrayList<>();
    ObjectMapper json = new ObjectMapper();
    for (int row = 0; row < ROWS; row++) {
      texts.add(row < distinct ? text(OWN) : texts.get(random.nextInt(distinct)));
      lines.add(
          json.writeValueAsString(
              json.createObjectNode().put("id", row).put("text", texts.get(row))));
    }
    Files.write(folder.resolve(name + ".jsonl"), lines);
  }

  private String text(int length) {
    return random
        .ints(length, 'a', 'z' + 1)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  private JsonNode run(String output, String input, String... settings) throws IOException {
    List<String> all =
        new ArrayList<>(
            List.of(
                "model.path=" + folder.resolve("model"),
                "input.path=" + folder.resolve(input + ".jsonl"),
                "input.text-column=null",
                "output.path=" + folder.resolve(output),
                "output.mode=overwrite",
                "output.logits=true"));
    all.addAll(List.of(settings));
    CommandLineRun run = CommandLineRun.job("../configs/classify-tickets.yaml", all);
    assertThat(run.exitCode()).as(run.err() + run.out()).isEqualTo(ExitCode.DONE);
    return record(output);
  }

  private static JsonNode record(String output) throws IOException {
    return new ObjectMapper()
        .readTree(folder.resolve(output).resolve("_sirocco/run.json").toFile());
  }

  private static double seconds(JsonNode record) {
    return record.at("/seconds/compute").asDouble();
  }

  private static List<String> answers(String output) {
    return spark
        .read()
        .parquet(folder.resolve(output).toString())
        .orderBy("id")
        .toJSON()
        .collectAsList();
  }

  private static double median(List<Double> values) {
    return values.stream().sorted().toList().get(values.size() / 2);
  }
}
