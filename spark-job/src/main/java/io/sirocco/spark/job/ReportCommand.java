package io.sirocco.spark.job;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.spark.config.ConfigException;
import io.sirocco.spark.output.OutputTarget;
import io.sirocco.spark.run.ExitCode;
import io.sirocco.spark.run.OutputCounts;
import io.sirocco.spark.run.RunRecord;
import io.sirocco.spark.run.Sessions;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.Callable;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Counts results again, and compares with what the run recorded. */
@Command(
    name = "report",
    description =
        "Counts the results of a run again, prints the counts as JSON, and says whether they are"
            + " those that the run recorded beside them.",
    mixinStandardHelpOptions = true)
final class ReportCommand implements Callable<Integer> {
  private static final ObjectMapper JSON = new ObjectMapper();

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "OUTPUT", description = "The output.path of a job.")
  private String output;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    SparkSession spark = Sessions.open("sirocco report");
    try {
      return report(spark, out);
    } catch (ConfigException e) {
      throw e;
    } catch (Exception e) { // Spark's are checked, though its methods declare none.
      throw new ConfigException(
          "OUTPUT", output, "the output.path of a job, to be read from here: " + e);
    } finally {
      out.flush();
    }
  }

  private int report(SparkSession spark, PrintWriter out) throws IOException {
    OutputTarget target = new OutputTarget(output, spark.sparkContext().hadoopConfiguration());
    JsonNode record = record(target);
    JsonNode configuration = record.path("configuration");
    boolean apart = configuration.at("/errors/keep").asText().equals("separate");
    String prefix = configuration.at("/output/prefix").asText();
    Dataset<Row> results = spark.read().parquet(output);
    ObjectNode counts =
        RunRecord.counts(
            OutputCounts.of(
                apart ? results.unionByName(spark.read().parquet(target.failures())) : results,
                resultColumns(record, results, prefix),
                prefix,
                configuration.at("/model/max-tokens").asInt()));
    out.print(RunRecord.pretty(counts));
    if (configuration.at("/output/mode").asText().equals("append")) {
      out.println("the record is of the last run alone, which appended to others: not compared");
      return ExitCode.DONE;
    }
    boolean agree = JSON.readTree(counts.toString()).equals(record.path("counts"));
    out.println(
        agree
            ? "these are the counts that the run recorded"
            : "the run recorded other counts: " + record.path("counts"));
    return agree ? ExitCode.DONE : ExitCode.UNEXPECTED;
  }

  /** Records of earlier versions do not name them: then any column may be one. */
  private static Set<String> resultColumns(JsonNode record, Dataset<Row> results, String prefix) {
    Set<String> columns = new LinkedHashSet<>();
    if (record.has(RunRecord.RESULT_COLUMNS)) {
      record.get(RunRecord.RESULT_COLUMNS).forEach(name -> columns.add(name.asText()));
    } else {
      Arrays.stream(results.columns())
          .filter(name -> name.startsWith(prefix))
          .forEach(name -> columns.add(name.substring(prefix.length())));
    }
    return columns;
  }

  private JsonNode record(OutputTarget target) throws IOException {
    String text =
        target
            .readRecord()
            .orElseThrow(
                () ->
                    new ConfigException(
                        "OUTPUT",
                        output,
                        "the output.path of a job that has ended: it has no record of a run"));
    try {
      return JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new ConfigException(
          "OUTPUT", output, "a record of a run that is JSON: " + e.getMessage());
    }
  }
}
