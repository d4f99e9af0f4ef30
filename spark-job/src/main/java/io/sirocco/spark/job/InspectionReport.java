package io.sirocco.spark.job;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.checkpoint.ByteCount;
import io.sirocco.engine.Inspection;
import io.sirocco.engine.MemoryPlan;
import io.sirocco.model.MistralConfig;
import io.sirocco.spark.run.PlanReport;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;

/** An {@link Inspection} for people, and for programs. */
final class InspectionReport {
  private InspectionReport() {}

  /** Keys in the words of config.json where there are any; sizes in bytes. */
  static ObjectNode json(Inspection inspection) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("path", inspection.path().toString());
    json.put("kind", name(inspection.kind()));
    inspection.config().ifPresent(config -> model(inspection, config, json.putObject("model")));
    ObjectNode weights = json.putObject("weights");
    weights.put("files", inspection.weightFiles()).put("bytes", inspection.weightBytes());
    inspection.weights().forEach(weights.putObject("bytes_by_dtype")::put);
    json.put("tokenizer", inspection.tokenizer().orElse(null));
    json.put("chat_template", inspection.chatTemplate());
    ObjectNode memory = json.putObject("memory");
    inspection
        .memory()
        .forEach((precision, plan) -> memory(plan, memory.putObject(name(precision))));
    inspection.problems().forEach(json.putArray("problems")::add);
    inspection.notes().forEach(json.putArray("notes")::add);
    return json;
  }

  private static void model(Inspection inspection, MistralConfig config, ObjectNode model) {
    model.put("architecture", architecture(inspection));
    inspection.tasks().forEach(model.putArray("tasks")::add);
    model.put("vocab_size", config.vocabSize());
    model.put("hidden_size", config.hiddenSize());
    model.put("intermediate_size", config.intermediateSize());
    model.put("num_hidden_layers", config.numHiddenLayers());
    model.put("num_attention_heads", config.numAttentionHeads());
    model.put("num_key_value_heads", config.numKeyValueHeads());
    model.put("head_dim", config.headDim());
    model.put("max_position_embeddings", config.maxPositionEmbeddings());
    model.put("rms_norm_eps", (double) config.rmsNormEps());
    model.put("rope_theta", config.rope().theta());
    model.put("rope_type", config.rope().scaling().getClass().getSimpleName());
    if (config.slidingWindow().isPresent()) {
      model.put("sliding_window", config.slidingWindow().getAsInt());
    } else {
      model.putNull("sliding_window");
    }
    model.put("tie_word_embeddings", config.tieWordEmbeddings());
    if (inspection.classifier()) {
      config.labels().names().forEach(model.putArray("labels")::add);
    }
  }

  private static void memory(MemoryPlan plan, ObjectNode memory) {
    memory.put("weights_mapped", plan.weightsMapped());
    memory.put("weights_copied", plan.weightsCopied());
    memory.put("workspace", plan.workspace());
    memory.put("kv_cache", plan.kvCache());
    memory.put("available", plan.available());
  }

  /** As the plan of a job. */
  static void print(Inspection inspection, PrintWriter out) {
    out.println("path         " + inspection.path());
    out.println("kind         " + name(inspection.kind()));
    inspection
        .config()
        .ifPresent(config -> out.println("model        " + line(inspection, config)));
    if (!inspection.tasks().isEmpty()) {
      out.println("tasks        " + String.join(", ", inspection.tasks()));
    }
    if (inspection.weightFiles() > 0) {
      out.printf(
          "weights      %s in %d file%s, by type %s%n",
          ByteCount.shown(inspection.weightBytes()),
          inspection.weightFiles(),
          inspection.weightFiles() == 1 ? "" : "s",
          inspection.weights());
    }
    out.println("tokenizer    " + inspection.tokenizer().orElse("none"));
    out.println("chat         " + (inspection.chatTemplate() ? "has a template" : "no template"));
    inspection
        .memory()
        .forEach(
            (precision, plan) ->
                out.println("memory       " + name(precision) + ": " + PlanReport.describe(plan)));
    inspection.notes().forEach(note -> out.println("note         " + note));
    inspection.problems().forEach(problem -> out.println("problem      " + problem));
    if (inspection.problems().isEmpty()) {
      out.println("no problem found");
    }
  }

  private static String line(Inspection inspection, MistralConfig config) {
    return architecture(inspection) + ", " + config.geometry();
  }

  private static String architecture(Inspection inspection) {
    if (inspection.classifier()) {
      return "MistralForSequenceClassification";
    }
    boolean headless = inspection.tasks().equals(List.of("embed"));
    return headless ? "MistralModel" : "MistralForCausalLM";
  }

  /** Such as raw-release. */
  private static String name(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
