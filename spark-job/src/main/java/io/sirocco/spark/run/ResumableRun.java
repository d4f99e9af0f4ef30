package io.sirocco.spark.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.spark.config.ConfigException;
import io.sirocco.spark.config.JobConfig;
import io.sirocco.spark.exec.RunTotals;
import io.sirocco.spark.exec.RunningTotals;
import io.sirocco.spark.output.DurableResults;
import io.sirocco.spark.output.FailedRows;
import io.sirocco.spark.sizing.TaskSizing;
import io.sirocco.spark.sizing.Work;
import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;

/**
 * Only rows without a durable result are computed; when every row of the input has one, all are put
 * together and published.
 */
final class ResumableRun {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final RunSetup setup;
  private final JobConfig config;
  private final SparkSession spark;
  private final FailedRows failed;
  private final Answers answers;
  private final DistinctRows rows;
  private final DurableResults durable;
  private final RunTotals totals = new RunTotals();

  ResumableRun(RunSetup setup, FailedRows failed) throws IOException {
    this.setup = setup;
    this.config = setup.config();
    this.spark = setup.spark();
    this.failed = failed;
    this.answers = Answers.of(setup);
    this.rows = DistinctRows.of(setup);
    this.durable =
        setup
            .target()
            .durable(
                answers.fingerprint(),
                new DurableResults.Results(rows.resultType(), setup.plan().samples()));
    spark.sparkContext().register(totals, "sirocco");
  }

  /**
   * The output is complete when it returns; or it has stopped because too many rows failed.
   *
   * @throws ConfigException if the input's keys are not what the job says
   * @throws Exception if Spark fails; what was done until then is kept
   */
  RunFacts run() throws Exception {
    setup
        .stages()
        .run("keys", () -> DuplicateKeysCheck.requireUnique(setup.rows(), setup.columns(), config));
    Dataset<Row> missing = new MissingRows(rows.identity(), durable, failed).of(rows.identified());
    JobTasks tasks = setup.tasks();
    Work work = setup.stages().time("plan", () -> TaskSizing.measure(missing, tasks.tokens()));
    long failuresLeft = allowed() - earlierFailures();
    boolean within = failuresLeft >= 0;
    if (within && work.rows() > 0) {
      int attempt = durable.begin(plan(work.rows()));
      Dataset<Row> sized = tasks.sized(missing, work);
      within =
          setup
              .stages()
              .time(RunFacts.COMPUTE, () -> compute(sized, work.rows(), failuresLeft, attempt));
    }
    Optional<OutputCounts> published =
        within ? setup.stages().time("publish", this::publish) : Optional.empty();
    OutputCounts counts = published.orElseGet(() -> OutputCounts.of(totals.value()));
    return new RunFacts(setup, published.isPresent(), counts, totals.value(), attempts());
  }

  private long allowed() {
    return config.errors().allowed(setup.expected());
  }

  private String plan(long missing) throws JsonProcessingException {
    ObjectNode plan = JSON.createObjectNode();
    plan.put("begun", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString());
    plan.put("missing", missing);
    plan.set("answers", answers.description());
    return RunRecord.pretty(plan);
  }

  /** Whether it came to the end. */
  private boolean compute(Dataset<Row> missing, long count, long failuresLeft, int attempt)
      throws IOException {
    RunningTotals running = RunningTotals.follow(spark.sparkContext(), totals);
    try (Progress progress = Progress.of(setup.err(), running, count);
        FailureWatch watch = FailureWatch.start(spark.sparkContext(), running, failuresLeft)) {
      progress.start();
      try {
        for (int round = 0; round < config.output().rounds(); round++) {
          durable.write(rows.results(ofRound(missing, round), totals), attempt);
        }
        return true;
      } catch (Exception e) { // Spark's are checked, though its methods declare none.
        if (watch.hasStopped()) {
          return false;
        }
        throw e;
      }
    }
  }

  /** Rows of the input that have failed in earlier runs, and stay so. */
  private long earlierFailures() throws IOException {
    if (allowed() >= setup.expected() || failed == FailedRows.RETRY) {
      return 0;
    }
    Dataset<Row> before = durable.failed(spark);
    return before
        .join(
            rows.identified().select(DurableResults.ROW).hint("shuffle_merge"),
            before.col(DurableResults.ROW).equalTo(rows.identified().col(DurableResults.ROW)),
            "left_semi")
        .count();
  }

  private Dataset<Row> ofRound(Dataset<Row> missing, int round) {
    Column number =
        functions.pmod(
            functions.hash(functions.col(DurableResults.ROW)),
            functions.lit(config.output().rounds()));
    return config.output().rounds() == 1 ? missing : missing.filter(number.equalTo(round));
  }

  /** Empty where more rows have failed than may: then nothing is shown. */
  private Optional<OutputCounts> publish() throws IOException {
    ResultAssembly assembly = new ResultAssembly(rows, durable);
    OutputCounts counts = assembly.write();
    if (counts.totals().rowsFailed() > allowed()) {
      assembly.discard();
      return Optional.empty();
    }
    assembly.show();
    durable.removeUnfinished();
    setup.target().deleteOtherAnswers(answers.fingerprint());
    return Optional.of(counts);
  }

  /** A crash may have left half of it, or none. */
  private JsonNode plan(int attempt) {
    try {
      return JSON.readTree(durable.plan(attempt));
    } catch (IOException e) {
      return JSON.missingNode();
    }
  }

  private List<RunFacts.AttemptFacts> attempts() throws IOException {
    List<RunFacts.AttemptFacts> facts = new ArrayList<>();
    Map<Integer, Long> counts = durable.rows(spark);
    for (int attempt : durable.attempts()) {
      JsonNode plan = plan(attempt);
      facts.add(
          new RunFacts.AttemptFacts(
              attempt,
              plan.path("begun").asText(),
              plan.path("missing").asLong(),
              counts.getOrDefault(attempt, 0L)));
    }
    return facts;
  }
}
