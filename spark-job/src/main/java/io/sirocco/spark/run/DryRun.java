package io.sirocco.spark.run;

import io.sirocco.engine.Engine;
import io.sirocco.engine.EnginePlan;
import io.sirocco.engine.RowInput;
import io.sirocco.engine.RowRequest;
import io.sirocco.spark.config.ConfigException;
import io.sirocco.spark.config.ConfigSection;
import io.sirocco.spark.config.JobConfig;
import io.sirocco.spark.exec.RowSettings;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;

/** Checks a job without running it: model, columns, memory, and the lengths of a sample of rows. */
public final class DryRun {
  private static final int SAMPLE = 1000;

  private final JobConfig config;
  private final PrintWriter out;

  private DryRun(JobConfig config, PrintWriter out) {
    this.config = config;
    this.out = out;
  }

  /** Of the job; says what it finds to {@code out}. */
  public static DryRun of(JobConfig config, PrintWriter out) {
    return new DryRun(config, out);
  }

  /**
   * The exit code.
   *
   * @throws ConfigException if the configuration does not fit the input or the output
   * @throws IOException if a file system cannot be asked
   */
  public int run() throws IOException {
    try (JobModel model = JobModel.open(config);
        Engine engine = model.openEngine()) {
      EnginePlan plan = model.plan();
      PlanReport.print(config, plan, out);
      SparkSession spark = Sessions.open("sirocco dry run");
      OutputCheck check = OutputCheck.of(config, spark.sparkContext().hadoopConfiguration());
      if (check.nothingToDo()) {
        out.println("note         output.path exists, and output.mode is ignore: nothing to do");
      }
      JobInput input = new JobInput(spark, config.input());
      EngineColumns columns = new EngineColumns(config);
      Dataset<Row> sample = input.sample(SAMPLE);
      Dataset<Row> rows = columns.added(sample);
      check.requireApartFrom(rows);
      out.println("input        " + sample.schema().simpleString());
      RowSettings settings = model.rowSettings(plan);
      out.println("results      " + columns.resultType(rows, settings).simpleString());
      measure(rows, engine);
      config.model().adapters().column().ifPresent(column -> adapters(rows, column));
    }
    return ExitCode.DONE;
  }

  private void measure(Dataset<Row> rows, Engine engine) {
    String column = config.input().tokensColumn().orElse(EngineColumns.TEXT);
    List<Integer> lengths = new ArrayList<>();
    int unreadable = 0;
    List<Row> sample = rows.select(functions.col(EngineColumns.quoted(column))).collectAsList();
    for (Row row : sample) {
      int length = row.isNullAt(0) ? -1 : length(row, engine);
      if (length < 0) {
        unreadable++;
      } else {
        lengths.add(length);
      }
    }
    Collections.sort(lengths);
    long over = lengths.stream().filter(length -> length > config.model().maxTokens()).count();
    out.printf(
        Locale.ROOT,
        "sample       %,d rows, %,d of them without text or tokens%n",
        sample.size(),
        unreadable);
    if (!lengths.isEmpty()) {
      out.printf(
          Locale.ROOT,
          "row length   median %,d tokens, 90%% %,d, 99%% %,d, longest %,d%n",
          percentile(lengths, 50),
          percentile(lengths, 90),
          percentile(lengths, 99),
          percentile(lengths, 100));
      out.printf(
          Locale.ROOT,
          "over-long    %.2f%% of them are beyond model.max-tokens %d: %s%n",
          100.0 * over / lengths.size(),
          config.model().maxTokens(),
          ConfigSection.kebab(config.model().overLength()));
    }
  }

  /** How many rows of the sample have which adapter; names that there are not are the row's own. */
  private void adapters(Dataset<Row> rows, String column) {
    Map<String, Long> counts = new TreeMap<>();
    long none = 0;
    long unknown = 0;
    for (Row row : rows.select(functions.col(EngineColumns.quoted(column))).collectAsList()) {
      String name = row.isNullAt(0) ? "" : row.getString(0);
      if (name.isEmpty()) {
        none++;
      } else if (config.model().adapters().named().containsKey(name)) {
        counts.merge(name, 1L, Long::sum);
      } else {
        unknown++;
      }
    }
    // Apart from the names, since an adapter can have any.
    out.printf(
        Locale.ROOT,
        "adapters     rows of the sample: %s; without one %,d, with an unknown one %,d%n",
        counts,
        none,
        unknown);
  }

  /** Tokens of a row, -1 without any; a text too long to be tokenized is one above the limit. */
  private int length(Row row, Engine engine) {
    if (config.input().tokensColumn().isPresent()) {
      return row.getList(0).size();
    }
    String text = row.getString(0);
    if (text.isBlank()) {
      return -1;
    }
    int most = config.model().maxTokens();
    return engine.countTokens(request(text)).orElse(text.length() > most ? most + 1 : -1);
  }

  private RowRequest request(String text) {
    RowInput input =
        config.input().messagesColumn().isPresent()
            ? new RowInput.Chat(text)
            : new RowInput.Text(text);
    // Any label will do: those of the prompt alone are counted.
    List<String> labels = config.task() == JobConfig.Task.SCORE ? List.of("label") : List.of();
    return new RowRequest(input, "", labels);
  }

  private static int percentile(List<Integer> sorted, int percent) {
    return sorted.get((sorted.size() - 1) * percent / 100);
  }
}
