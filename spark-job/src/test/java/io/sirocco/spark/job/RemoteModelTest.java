package io.sirocco.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.kernel.onednn.OneDnnKernels;
import io.sirocco.spark.LocalSpark;
import io.sirocco.spark.MiniHdfs;
import io.sirocco.spark.run.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Jobs whose model is on a real HDFS. */
class RemoteModelTest {
  private static final String SAMPLES = "../sample-data/";
  private static final String MODEL = SAMPLES + "ticket-classifier";

  @TempDir private static Path cache;

  private static MiniHdfs hdfs;
  private static SparkSession spark;
  private static String remote;

  @TempDir private Path folder;

  @BeforeAll
  static void start() throws IOException {
    hdfs = MiniHdfs.start();
    remote = hdfs.put(Path.of(MODEL), "/models/tickets");
    spark =
        LocalSpark.builder("local[2]")
            .config("spark.sirocco.cache.dir", cache.toString())
            .getOrCreate();
  }

  @AfterAll
  static void stop() throws IOException {
    spark.stop();
    hdfs.close();
  }

  private CommandLineRun run(String model, String output, String... more) {
    return CommandLineRun.job(
        "../configs/classify-tickets.yaml",
        List.of(
            "model.path=" + model,
            "input.path=" + SAMPLES + "tickets.jsonl",
            "output.path=" + folder.resolve(output),
            "output.logits=true"),
        more);
  }

  private List<Row> results(String output) {
    return spark.read().parquet(folder.resolve(output).toString()).orderBy("id").collectAsList();
  }

  @Test
  void aModelOnHdfsAnswersAsTheSameOneOnThisMachine() throws IOException {
    CommandLineRun dry = run(remote, "none", "--dry-run");
    assertThat(dry.err()).isEmpty();
    assertThat(dry.exitCode()).isEqualTo(ExitCode.DONE);
    assertThat(dry.out()).contains(remote, "row length", "labels ");
    assertThat(copies()).as("the driver needs no weights").isZero();

    String precision = OneDnnKernels.multipliesBfloat16() ? "int8" : "float32";
    CommandLineRun prepares =
        run(
            remote,
            "none",
            "--dry-run",
            "--set=model.weights=packed",
            "--set=model.precision=" + precision);
    assertThat(prepares.exitCode()).isEqualTo(ExitCode.DONE);
    assertThat(prepares.out()).contains("precision    " + precision);
    assertThat(cache.resolve("prepared"))
        .as("an outline's weights are not prepared")
        .doesNotExist();

    CommandLineRun far = run(remote, "far");
    assertThat(far.err()).isEmpty();
    assertThat(far.exitCode()).isEqualTo(ExitCode.DONE);
    assertThat(run(MODEL, "near").exitCode()).isEqualTo(ExitCode.DONE);

    assertThat(results("far")).hasSize(1200).isEqualTo(results("near"));
    assertThat(copies()).isEqualTo(1);
    assertThat(fingerprint(far)).isNotEmpty().isEqualTo(fingerprint(dry));
  }

  private static List<String> fingerprint(CommandLineRun run) {
    return run.out().lines().filter(line -> line.startsWith("fingerprint")).toList();
  }

  private static long copies() throws IOException {
    if (!Files.isDirectory(cache.resolve("models"))) {
      return 0;
    }
    try (Stream<Path> models = Files.list(cache.resolve("models"))) {
      return models.count();
    }
  }

  @Test
  void whatIsWrongWithTheModelIsToldOfItsUri() throws IOException {
    CommandLineRun nowhere = run(hdfs.uri() + "/nowhere", "out");
    assertThat(nowhere.exitCode()).isEqualTo(ExitCode.MODEL);
    assertThat(nowhere.err()).startsWith("model: " + hdfs.uri() + "/nowhere: does not exist");

    CommandLineRun unknown = run("gopher://host/model", "out");
    assertThat(unknown.exitCode()).isEqualTo(ExitCode.MODEL);
    assertThat(unknown.err()).contains("No FileSystem for scheme \"gopher\"");

    Path model = Files.createDirectory(folder.resolve("model"));
    for (String name : List.of("config.json", "model.safetensors")) {
      Files.copy(Path.of(MODEL, name), model.resolve(name));
    }
    String uri = hdfs.put(model, "/models/without-tokenizer");
    CommandLineRun incomplete = run(uri, "out");
    assertThat(incomplete.exitCode()).isEqualTo(ExitCode.MODEL);
    assertThat(incomplete.err()).startsWith("model: " + uri + "/tokenizer.json: not found");
    assertThat(folder.resolve("out")).doesNotExist();
  }
}
