package io.sirocco.spark.job;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.engine.EnginePlan;
import io.sirocco.sampling.EffectiveSetting;
import io.sirocco.sampling.Origin;
import io.sirocco.spark.exec.RunTotals;
import io.sirocco.spark.exec.Totals;
import java.io.PrintWriter;
import java.util.Comparator;
import java.util.Locale;
import java.util.Map;
import org.apache.hadoop.util.VersionInfo;

/**
 * What a run did: for people at its end, and for machines beside its results.
 *
 * @param seconds from the first row to the last
 */
record RunReport(JobConfig config, EnginePlan plan, RunTotals totals, double seconds) {
  private static final ObjectMapper JSON = new ObjectMapper();

  void print(PrintWriter out) {
    Totals sum = totals.value();
    out.printf(
        Locale.ROOT,
        "%,d rows: %,d ok, %,d failed; %s; %s; %,.1f rows/s, %s%n",
        sum.rows(),
        sum.rowsOk(),
        sum.rowsFailed(),
        tokens(sum),
        Progress.duration(seconds),
        sum.rows() / seconds,
        speed(sum));
    table(out, "failed", sum.failed());
    table(out, "label", sum.labels());
    table(out, "finish", sum.finishReasons());
    for (EffectiveSetting setting : plan.settings()) {
      if (setting.origin() != Origin.DEFAULT) {
        out.printf(
            "  %-8s %-28s %s (%s)%n", "setting", setting.key(), setting.value(), setting.origin());
      }
    }
  }

  private String tokens(Totals sum) {
    return config.task() == JobConfig.Task.GENERATE
        ? String.format(
            Locale.ROOT,
            "%,d prompt tokens, %,d generated tokens",
            sum.tokens(),
            sum.generatedTokens())
        : String.format(Locale.ROOT, "%,d tokens", sum.tokens());
  }

  private String speed(Totals sum) {
    return config.task() == JobConfig.Task.GENERATE
        ? String.format(Locale.ROOT, "%,.0f generated tokens/s", sum.generatedTokens() / seconds)
        : String.format(Locale.ROOT, "%,.0f tokens/s", sum.tokens() / seconds);
  }

  /** The record of the run: configuration, model, versions, counts. */
  String json(String sparkVersion) {
    try {
      ObjectNode record = JSON.createObjectNode();
      record.set("configuration", JobConfigWriter.toTree(config));
      ObjectNode model = record.putObject("model");
      model.put("description", plan.model());
      model.put("fingerprint", plan.fingerprint());
      model.put("precision", plan.precision().name().toLowerCase(Locale.ROOT));
      model.put("kernels", plan.kernels());
      ObjectNode versions = record.putObject("versions");
      versions.put("sirocco", Versions.sirocco());
      versions.put("spark", sparkVersion);
      versions.put("hadoop", VersionInfo.getVersion());
      versions.put("scala", scala.util.Properties.versionNumberString());
      versions.put("java", System.getProperty("java.version"));
      if (config.task() == JobConfig.Task.GENERATE) {
        ObjectNode settings = record.putObject("settings");
        for (EffectiveSetting setting : plan.settings()) {
          settings
              .putObject(setting.key())
              .put("value", setting.value())
              .put("origin", setting.origin().toString());
        }
      }
      record.set("counts", counts(totals.value()));
      record.put("seconds", seconds);
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(record) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("the run's record does not become JSON", e);
    }
  }

  private static ObjectNode counts(Totals sum) {
    ObjectNode counts = JSON.createObjectNode();
    counts.put("rows", sum.rows());
    counts.put("ok", sum.rowsOk());
    counts.put("failed", sum.rowsFailed());
    counts.set("failed_by_code", JSON.valueToTree(sum.failed()));
    counts.set("labels", JSON.valueToTree(sum.labels()));
    counts.set("finish_reasons", JSON.valueToTree(sum.finishReasons()));
    counts.put("tokens", sum.tokens());
    counts.put("generated_tokens", sum.generatedTokens());
    counts.put("truncated", sum.truncated());
    return counts;
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
