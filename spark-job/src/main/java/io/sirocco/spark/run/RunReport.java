package io.sirocco.spark.run;

import io.sirocco.sampling.EffectiveSetting;
import io.sirocco.sampling.Origin;
import io.sirocco.spark.config.JobConfig;
import io.sirocco.spark.exec.Saved;
import io.sirocco.spark.exec.Totals;
import java.io.PrintWriter;
import java.util.Comparator;
import java.util.Locale;
import java.util.Map;

/** What a run did, for people at its end. */
record RunReport(RunFacts facts) {

  void print(PrintWriter out) {
    Totals sum = facts.counts().totals();
    double seconds = facts.computing();
    boolean resumed = facts.computed().rows() < sum.rows();
    String line =
        String.format(
            Locale.ROOT,
            "%,d rows: %,d ok, %,d failed; %s",
            sum.rows(),
            sum.rowsOk(),
            sum.rowsFailed(),
            tokens(sum));
    out.println(resumed ? line : line + "; " + speed(sum, seconds));
    if (resumed) {
      Totals computed = facts.computed();
      out.printf(
          Locale.ROOT,
          "  this run asked the model for %,d of them (%s); %s%n",
          computed.rows(),
          tokens(computed),
          speed(computed, seconds));
    }
    saved(out, facts.computed().saved());
    table(out, "failed", sum.failed());
    table(out, "label", sum.labels());
    table(out, "finish", sum.finishReasons());
    for (EffectiveSetting setting : facts.plan().settings()) {
      if (setting.origin() != Origin.DEFAULT) {
        out.printf(
            "  %-8s %-28s %s (%s)%n", "setting", setting.key(), setting.value(), setting.origin());
      }
    }
  }

  private String tokens(Totals sum) {
    return facts.config().task() == JobConfig.Task.GENERATE
        ? String.format(
            Locale.ROOT,
            "%,d prompt tokens, %,d generated tokens",
            sum.tokens(),
            sum.generatedTokens())
        : String.format(Locale.ROOT, "%,d tokens", sum.tokens());
  }

  private String speed(Totals sum, double seconds) {
    if (seconds == 0) {
      return "nothing computed";
    }
    boolean writes = facts.config().task() == JobConfig.Task.GENERATE;
    return String.format(
        Locale.ROOT,
        "%s; %,.1f rows/s, %,.0f %s/s",
        Progress.duration(seconds),
        sum.rows() / seconds,
        (writes ? sum.generatedTokens() : sum.tokens()) / seconds,
        writes ? "generated tokens" : "tokens");
  }

  /** Only where there is something to tell. */
  private static void saved(PrintWriter out, Saved saved) {
    if (saved.prefixTokens() + saved.duplicateTokens() > 0) {
      out.printf(
          Locale.ROOT,
          "  %,d tokens computed; saved: %,d of the shared prefix, %,d of %,d rows that equal others%n",
          saved.computedTokens(),
          saved.prefixTokens(),
          saved.duplicateTokens(),
          saved.duplicateRows());
    }
  }

  private static void table(PrintWriter out, String what, Map<String, Long> counts) {
    counts.entrySet().stream()
        .sorted(
            Map.Entry.<String, Long>comparingByValue(Comparator.reverseOrder())
                .thenComparing(Map.Entry.comparingByKey()))
        .forEach(
            entry ->
                out.printf(
                    Locale.ROOT, "  %-8s %-28s %,12d%n", what, entry.getKey(), entry.getValue()));
  }
}
