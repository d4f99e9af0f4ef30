package io.sirocco.spark.job;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.engine.EnginePlan;
import io.sirocco.spark.exec.RunTotals;
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
    out.printf(
        Locale.ROOT,
        "%,d rows: %,d ok, %,d failed; %,d tokens; %s; %,.1f rows/s, %,.0f tokens/s%n",
        totals.value().rows(),
        totals.value().rows() - totals.value().rowsFailed(),
        totals.value().rowsFailed(),
        totals.value().tokens(),
        Progress.duration(seconds),
        totals.value().rows() / seconds,
        totals.value().tokens() / seconds);
    table(out, "failed", totals.value().failed());
    table(out, "label", totals.value().labels());
  }

  /** The record of the run: configuration, model, versions, counts. */
  String json(String sparkVersion) {
    try {
      ObjectNode record = JSON.createObjectNode();
      record.set("configuration", JobConfigReader.toTree(config));
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
      ObjectNode counts = record.putObject("counts");
      counts.put("rows", totals.value().rows());
      counts.put("ok", totals.value().rows() - totals.value().rowsFailed());
      counts.put("failed", totals.value().rowsFailed());
      counts.set("failed_by_code", JSON.valueToTree(totals.value().failed()));
      counts.set("labels", JSON.valueToTree(totals.value().labels()));
      counts.put("tokens", totals.value().tokens());
      record.put("seconds", seconds);
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(record) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("the run's record does not become JSON", e);
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
