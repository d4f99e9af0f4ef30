package io.sirocco.spark.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.engine.EnginePlan;
import io.sirocco.sampling.EffectiveSetting;
import io.sirocco.spark.config.JobConfigWriter;
import io.sirocco.spark.config.OutputMode;
import io.sirocco.spark.exec.HostReport;
import io.sirocco.spark.exec.Totals;
import java.util.Locale;
import java.util.Map;
import org.apache.hadoop.util.VersionInfo;

/** What a run did, for machines: {@code _sirocco/run.json} beside its results. */
public record RunRecord(RunFacts facts) {
  /** Names of the columns that are not the input's, without the prefix. */
  public static final String RESULT_COLUMNS = "result_columns";

  private static final ObjectMapper JSON = new ObjectMapper();

  String json(String sparkVersion) {
    try {
      ObjectNode record = JSON.createObjectNode();
      record.put("state", facts.complete() ? "complete" : "stopped");
      record.set("configuration", JobConfigWriter.toTree(facts.config()));
      model(record.putObject("model"));
      versions(record.putObject("versions"), sparkVersion);
      if (!facts.plan().settings().isEmpty()) {
        settings(record.putObject("settings"));
      }
      facts.setup().settings().resultColumns().forEach(record.putArray(RESULT_COLUMNS)::add);
      record.set("counts", counts(facts.counts()));
      ObjectNode computed = record.putObject("this_run");
      computed.put("rows", facts.computed().rows());
      computed.put("failed", facts.computed().rowsFailed());
      computed.put("tokens", facts.computed().tokens());
      computed.put("generated_tokens", facts.computed().generatedTokens());
      computed.put("computed_tokens", facts.computed().saved().computedTokens());
      computed.put("prefix_tokens", facts.computed().saved().prefixTokens());
      computed.put("duplicate_rows", facts.computed().saved().duplicateRows());
      computed.put("duplicate_tokens", facts.computed().saved().duplicateTokens());
      attempts(record);
      ObjectNode seconds = record.putObject("seconds");
      facts.setup().stages().seconds().forEach(seconds::put);
      executors(record.putArray("executors"));
      return pretty(record);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("the run's record does not become JSON", e);
    }
  }

  /** JSON as run.json has it. */
  public static String pretty(ObjectNode node) throws JsonProcessingException {
    return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(node) + "\n";
  }

  private void model(ObjectNode model) {
    EnginePlan plan = facts.plan();
    model.put("description", plan.model());
    model.put("fingerprint", plan.fingerprint());
    if (!plan.adapters().isEmpty()) {
      plan.adapters().forEach(model.putObject("adapters")::put);
    }
    model.put("precision", plan.precision().name().toLowerCase(Locale.ROOT));
    model.put("kernels", plan.kernels());
    if (facts.config().output().mode() == OutputMode.RESUME) {
      model.put("answers", Answers.of(facts.setup()).fingerprint());
    }
  }

  private static void versions(ObjectNode versions, String sparkVersion) {
    versions.put("sirocco", Versions.sirocco());
    versions.put("spark", sparkVersion);
    versions.put("hadoop", VersionInfo.getVersion());
    versions.put("scala", scala.util.Properties.versionNumberString());
    versions.put("java", System.getProperty("java.version"));
  }

  private void settings(ObjectNode settings) {
    for (EffectiveSetting setting : facts.plan().settings()) {
      settings
          .putObject(setting.key())
          .put("value", setting.value())
          .put("origin", setting.origin().toString());
    }
  }

  /** All of it comes from the results, and can be counted from them again. */
  public static ObjectNode counts(OutputCounts output) {
    Totals sum = output.totals();
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
    ObjectNode lengths = counts.putObject("row_length");
    for (Map.Entry<String, Integer> length : output.rowLength().entrySet()) {
      lengths.put(length.getKey(), length.getValue());
    }
    return counts;
  }

  private void executors(ArrayNode executors) {
    for (HostReport host : facts.setup().hosts()) {
      executors
          .addObject()
          .put("executor", host.place().executor())
          .put("host", host.place().host())
          .put("processor", host.processor().model())
          .put("cores", host.processor().cores())
          .put("precision", host.engine().precision())
          .put("weights", host.engine().weights())
          .put("kernels", host.engine().arithmetic())
          .put("open_seconds", host.engine().seconds())
          .put("prepared_bytes", host.engine().prepared().bytes())
          .put("prepared_seconds", host.engine().prepared().seconds());
    }
  }

  private void attempts(ObjectNode record) {
    if (facts.config().output().mode() != OutputMode.RESUME) {
      return;
    }
    ArrayNode attempts = record.putArray("attempts");
    for (RunFacts.AttemptFacts attempt : facts.attempts()) {
      attempts
          .addObject()
          .put("attempt", attempt.number())
          .put("begun", attempt.begun())
          .put("missing", attempt.missing())
          .put("rows", attempt.rows());
    }
  }
}
