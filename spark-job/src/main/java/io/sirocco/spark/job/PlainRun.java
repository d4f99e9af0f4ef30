package io.sirocco.spark.job;

import io.sirocco.spark.exec.DataFrameTask;
import io.sirocco.spark.exec.RowCounters;
import io.sirocco.spark.exec.RunTotals;
import io.sirocco.spark.exec.RunningTotals;
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
    Dataset<Row> results =
        DataFrameTask.results(
            setup.tasks().sized(setup.rows(), setup.work()),
            setup.columns().columns(),
            setup.settings(),
            RowCounters.into(totals));
    setup.stages().run(RunFacts.COMPUTE, () -> write(results, totals));
    OutputCounts counts =
        config.output().mode() == OutputMode.APPEND
            ? OutputCounts.of(totals.value())
            : setup.stages().time("verify", this::counted);
    return new RunFacts(setup, true, counts, totals.value(), List.of());
  }

  private void write(Dataset<Row> results, RunTotals totals) {
    RunningTotals running = RunningTotals.follow(setup.spark().sparkContext(), totals);
    try (Progress progress = Progress.of(setup.err(), running, setup.expected())) {
      progress.start();
      setup.target().write(results, setup.config().output().mode().saveMode());
    }
  }

  private OutputCounts counted() {
    return OutputCounts.of(
        setup.spark().read().parquet(setup.target().toString()),
        setup.config().output().prefix(),
        setup.config().model().maxTokens());
  }
}
