package io.sirocco.spark.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.bench.SkewedRows;
import io.sirocco.spark.config.JobConfig;
import io.sirocco.spark.config.JobConfigReader;
import io.sirocco.spark.output.FailedRows;
import io.sirocco.spark.run.ExitCode;
import io.sirocco.spark.run.JobRun;
import io.sirocco.spark.run.Sessions;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * The job that {@code run} would run over a benchmark's rows: texts from Parquet, results to
 * Parquet, in the Spark session of this JVM.
 */
final class BenchJob {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path model;
  private final BenchSetting setting;
  private final SkewedRows rows;
  private final Path folder;
  private final Map<String, List<Double>> seconds = new LinkedHashMap<>();
  private JobConfig config;

  BenchJob(Path model, BenchSetting setting, SkewedRows rows, Consumer<String> progress)
      throws IOException {
    this.model = model;
    this.setting = setting;
    this.rows = rows;
    this.folder = BenchCheckpoint.temporary("sirocco-bench-job", progress);
    this.config = config("none");
  }

  /**
   * Writes the input, each row {@code copies} times, and runs a job over each row once: Spark, the
   * engine and the JVM are warm afterwards.
   */
  void prepare(int copies) throws Exception {
    write(1);
    seconds();
    write(copies);
    seconds.clear();
  }

  /** Runs the job; from reading its model to the last result in Parquet, and its summary. */
  double seconds() throws Exception {
    StringWriter out = new StringWriter();
    PrintWriter printer = new PrintWriter(out);
    long start = System.nanoTime();
    int exitCode = JobRun.of(config, FailedRows.KEEP, printer, printer).run();
    double elapsed = (System.nanoTime() - start) * 1e-9;
    JsonNode record = JSON.readTree(output().resolve("_sirocco/run.json").toFile());
    if (exitCode != ExitCode.DONE || record.at("/counts/failed").asLong() != 0) {
      throw new IllegalStateException("the job ended with " + exitCode + ":\n" + out);
    }
    record
        .get("seconds")
        .fields()
        .forEachRemaining(
            stage ->
                seconds
                    .computeIfAbsent(stage.getKey(), name -> new ArrayList<>())
                    .add(stage.getValue().asDouble()));
    return elapsed;
  }

  /** The parts of the runs since {@link #prepare}. */
  Set<String> stages() {
    return seconds.keySet();
  }

  /** Of a part of those runs. */
  double medianSeconds(String stage) {
    double[] sorted =
        seconds.get(stage).stream().mapToDouble(Double::doubleValue).sorted().toArray();
    return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
  }

  private void write(int copies) throws IOException {
    // The job takes this session.
    SparkSession spark = Sessions.open("sirocco bench", "local[" + setting.threads() + "]");
    String input = folder.resolve("rows-" + copies).toString();
    Dataset<Row> texts = spark.createDataset(rows.texts(), Encoders.STRING()).toDF("text");
    texts.crossJoin(spark.range(copies)).write().mode("overwrite").parquet(input);
    config = config(input);
  }

  private Path output() {
    return folder.resolve("results");
  }

  /** By way of a job file, so that all defaults are those of jobs. JSON is YAML, too. */
  private JobConfig config(String input) throws IOException {
    ObjectNode job = JSON.createObjectNode();
    job.put("task", "classify");
    job.putObject("model")
        .put("path", model.toAbsolutePath().toString())
        .put("precision", setting.precision().name().toLowerCase(Locale.ROOT))
        .put("kernels", setting.kernels().name().toLowerCase(Locale.ROOT));
    job.putObject("input").put("path", input).put("format", "parquet").put("text-column", "text");
    // The same rows come again and again, and shall be computed each time.
    job.putObject("batch").put("deduplicate", "none");
    job.putObject("output").put("path", output().toString()).put("mode", "overwrite");
    Path file = folder.resolve("job.yaml");
    Files.writeString(file, job.toPrettyString());
    return JobConfigReader.read(file, List.of());
  }
}
