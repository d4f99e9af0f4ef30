package io.sirocco.bench;

import io.sirocco.engine.Engine;
import io.sirocco.engine.EngineStatistics;
import io.sirocco.engine.RowInput;
import io.sirocco.engine.RowOutcome;
import io.sirocco.engine.RowRequest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Future;

/** Classifying rows of skewed lengths, handed to the engine as tokens: it makes the batches. */
public final class ClassifyBench {
  /** The test's name. */
  public static final String NAME = "classify";

  private final Engine engine;
  private final SkewedRows rows;

  /** The engine stays the caller's. */
  public ClassifyBench(Engine engine, SkewedRows rows) {
    this.engine = engine;
    this.rows = rows;
  }

  /** Measures all rows, after one pass over them that does not count. */
  public BenchResult classify(Cost cost, Measurement measurement, int repetitions)
      throws Exception {
    seconds();
    EngineStatistics.Batches before = engine.statistics().batches();
    measurement.repeat(repetitions, List.of(cost), this::seconds);
    EngineStatistics.Batches after = engine.statistics().batches();
    double batches = (after.count() - before.count()) / (double) repetitions;
    Map<String, Double> details = new LinkedHashMap<>();
    details.put("rows", (double) rows.ids().size());
    details.put("tokens", (double) rows.tokens());
    details.put("rows_per_second", rows.ids().size() / measurement.medianSeconds());
    details.put("batches", batches);
    int rowsPerBatch = (int) Math.round(rows.ids().size() / batches);
    return measurement.result(label(rowsPerBatch), details);
  }

  /** How results call it. */
  public Measurement.Label label(int rowsPerBatch) {
    return new Measurement.Label(NAME, rowsPerBatch, rows.tokens());
  }

  private double seconds() throws Exception {
    long start = System.nanoTime();
    List<Future<RowOutcome>> outcomes = new ArrayList<>();
    for (int[] ids : rows.ids()) {
      outcomes.add(engine.submit(RowRequest.of(new RowInput.Tokens(ids, Optional.empty()))));
    }
    for (Future<RowOutcome> outcome : outcomes) {
      if (!(outcome.get() instanceof RowOutcome.Scored)) {
        throw new IllegalStateException("a row failed: " + outcome.get());
      }
    }
    return (System.nanoTime() - start) * 1e-9;
  }
}
