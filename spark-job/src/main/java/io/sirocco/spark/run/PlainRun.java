package io.sirocco.spark.run;

import io.sirocco.spark.config.JobConfig;
import io.sirocco.spark.config.OutputMode;
import io.sirocco.spark.exec.DataFrameTask;
import io.sirocco.spark.exec.RowCounters;
import io.sirocco.spark.exec.RunTotals;
import io.sirocco.spark.exec.RunningTotals;
import io.sirocco.spark.exec.Saved;
import io.sirocco.spark.exec.Totals;
import io.sirocco.spark.sizing.TaskSizing;
import io.sirocco.spark.sizing.Work;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** Every row is computed, and the output is committed at the end: complete, or not at all. */
record PlainRun(RunSetup setup) {

  /** The results are there when it returns. */
  RunFacts run() throws Exception {
    JobConfig config = setup.config();
    RunTotals totals = new RunTotals();
    setup.spark().sparkContext().register(totals, "sirocco");
    boolean once = config.batch().deduplicate() == JobConfig.Deduplicate.JOB;
    long computed = once ? computeOnce(totals) : computeEach(totals);
    OutputCounts counts =
        config.output().mode() == OutputMode.APPEND
            ? OutputCounts.of(totals.value())
            : setup.stages().time("verify", this::counted);
    Totals sum = totals.value();
    Saved equal =
        new Saved(0, 0, setup.expected() - computed, counts.totals().tokens() - sum.tokens());
    return new RunFacts(setup, true, counts, once ? sum.saving(equal) : sum, List.of());
  }

  /** How many rows were computed: all. */
  private long computeEach(RunTotals totals) throws Exception {
    Dataset<Row> results =
        DataFrameTask.results(
            setup.tasks().sized(setup.rows(), setup.work()),
            setup.columns().columns(),
            setup.settings(),
            RowCounters.into(totals));
    setup.stages().run(RunFacts.COMPUTE, () -> write(results, totals, setup.expected()));
    return setup.expected();
  }

  /** How many rows were computed: those that differ. */
  private long computeOnce(RunTotals totals) throws Exception {
    DistinctRows rows = DistinctRows.of(setup);
    Dataset<Row> distinct = rows.all();
    Work work =
        setup.stages().time("plan", () -> TaskSizing.measure(distinct, setup.tasks().tokens()));
    Dataset<Row> results = rows.joined(rows.results(setup.tasks().sized(distinct, work), totals));
    setup.stages().run(RunFacts.COMPUTE, () -> write(results, totals, work.rows()));
    return work.rows();
  }

  private void write(Dataset<Row> results, RunTotals totals, long computed) {
    RunningTotals running = RunningTotals.follow(setup.spark().sparkContext(), totals);
    try (Progress progress = Progress.of(setup.err(), running, computed)) {
      progress.start();
      setup.target().write(results, setup.config().output().mode().saveMode());
    }
  }

  private OutputCounts counted() {
    return OutputCounts.of(
        setup.spark().read().parquet(setup.target().toString()),
        setup.settings().resultColumns(),
        setup.config().output().prefix(),
        setup.config().model().maxTokens());
  }
}
