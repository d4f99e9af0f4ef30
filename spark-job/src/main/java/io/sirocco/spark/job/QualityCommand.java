package io.sirocco.spark.job;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.bench.BenchModel;
import io.sirocco.bench.ClassifierQuality;
import io.sirocco.bench.QualityResult;
import io.sirocco.bench.WriterQuality;
import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.KernelChoice;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.engine.Task;
import io.sirocco.spark.config.ConfigSection;
import io.sirocco.spark.config.Template;
import io.sirocco.spark.run.ExitCode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Compares a model's answers in some precisions with those in float32, over a sample of rows. */
@Command(
    name = "quality",
    description =
        "Compares a model's answers with those in float32 over a sample: a classifier's labels and"
            + " probabilities, a writer's perplexity.",
    mixinStandardHelpOptions = true)
final class QualityCommand implements Callable<Integer> {
  private static final ObjectMapper JSON = new ObjectMapper();

  @Spec private CommandSpec spec;

  @Option(names = "--model", required = true, description = "A Hugging Face folder.")
  private Path model;

  @Option(names = "--input", required = true, description = "A sample: a line of JSON per row.")
  private Path input;

  @Option(
      names = "--precision",
      split = ",",
      defaultValue = "bfloat16",
      description = "One or several with commas: ${COMPLETION-CANDIDATES}.")
  private List<PrecisionChoice> precisions;

  @Option(
      names = "--text-column",
      defaultValue = "text",
      description = "The text of a row (default ${DEFAULT-VALUE}).")
  private String textColumn;

  @Option(
      names = "--template",
      description =
          "In place of the text column, such as '[INST] {question} [/INST] {answer}</s>'.")
  private Optional<String> template;

  @Option(
      names = "--label-column",
      defaultValue = "label",
      description =
          "The label that a row should get; rows without it count for all but accuracy (default"
              + " ${DEFAULT-VALUE}).")
  private String labelColumn;

  @Option(names = "--kernels", defaultValue = "auto", description = "auto, onednn or java.")
  private KernelChoice kernels;

  @Option(
      names = "--max-tokens",
      defaultValue = "4096",
      description = "Longer rows do not count (default ${DEFAULT-VALUE}).")
  private int maxTokens;

  @Option(names = "--json", description = "Writes a line of JSON per precision to this file.")
  private Optional<Path> json;

  @Override
  public Integer call() throws Exception {
    if (maxTokens < 1) {
      throw wrong("--max-tokens must be at least 1");
    }
    List<ClassifierQuality.Row> sample = sample();
    List<QualityResult> results =
        BenchModel.weights(model).classifies() ? labels(sample) : perplexities(sample);
    print(results);
    if (json.isPresent()) {
      Files.write(json.get(), results.stream().map(QualityCommand::line).toList());
    }
    return ExitCode.DONE;
  }

  private List<QualityResult> labels(List<ClassifierQuality.Row> sample) throws Exception {
    EngineOptions options =
        EngineOptions.of(model.toString(), new Task.Classify())
            .withPrecision(PrecisionChoice.FLOAT32)
            .withKernels(kernels)
            .withThreads(Runtime.getRuntime().availableProcessors())
            .withMaxTokens(maxTokens);
    ClassifierQuality quality = new ClassifierQuality(options, sample);
    List<QualityResult> results = new ArrayList<>(List.of(quality.reference()));
    for (PrecisionChoice precision : precisions) {
      results.add(quality.of(precision, ConfigSection.kebab(precision)));
    }
    return results;
  }

  private List<QualityResult> perplexities(List<ClassifierQuality.Row> sample) {
    WriterQuality quality =
        new WriterQuality(
            model,
            kernels,
            Runtime.getRuntime().availableProcessors(),
            sample.stream().map(ClassifierQuality.Row::text).toList(),
            maxTokens);
    List<QualityResult> results = new ArrayList<>(List.of(quality.reference()));
    for (PrecisionChoice precision : precisions) {
      results.add(quality.of(precision, ConfigSection.kebab(precision)));
    }
    return results;
  }

  private List<ClassifierQuality.Row> sample() throws IOException {
    Optional<Template> filled = template.map(Template::parse);
    List<ClassifierQuality.Row> rows = new ArrayList<>();
    try (BufferedReader lines = Files.newBufferedReader(input)) {
      int number = 0;
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        number++;
        if (line.isBlank()) {
          continue;
        }
        JsonNode row = parsed(line, number);
        JsonNode label = row.path(labelColumn);
        rows.add(
            new ClassifierQuality.Row(
                filled.isPresent()
                    ? fill(filled.get(), row, number)
                    : text(row, textColumn, number),
                label.isTextual() ? Optional.of(label.asText()) : Optional.empty()));
      }
    }
    if (rows.isEmpty()) {
      throw wrong("--input " + input + " holds no row");
    }
    return rows;
  }

  private JsonNode parsed(String line, int number) {
    try {
      return JSON.readTree(line);
    } catch (JsonProcessingException e) {
      throw wrong(
          "--input " + input + ", line " + number + ": not JSON: " + e.getOriginalMessage());
    }
  }

  private String fill(Template pattern, JsonNode row, int number) {
    StringBuilder text = new StringBuilder();
    for (Template.Part part : pattern.parts()) {
      if (part instanceof Template.Literal literal) {
        text.append(literal.text());
      } else if (part instanceof Template.Placeholder placeholder) {
        text.append(text(row, placeholder.column(), number));
      }
    }
    return text.toString();
  }

  private String text(JsonNode row, String column, int number) {
    JsonNode value = row.path(column);
    if (!value.isValueNode() || value.isNull()) {
      throw wrong(
          "--input %s, line %d: column %s is %s, expected a text"
              .formatted(input, number, column, value.isMissingNode() ? "missing" : "no text"));
    }
    return value.asText();
  }

  private void print(List<QualityResult> results) {
    PrintWriter out = spec.commandLine().getOut();
    boolean classifies = results.get(0).labels().isPresent();
    out.printf(
        classifies ? "%-10s %8s %10s %10s %12s %12s %9s%n" : "%-10s %8s %10s %11s %10s%n",
        classifies
            ? new Object[] {
              "precision", "rows", "tokens", "agreement", "mean change", "most change", "accuracy"
            }
            : new Object[] {"precision", "rows", "tokens", "perplexity", "change"});
    for (QualityResult result : results) {
      out.printf(
          Locale.ROOT, "%-10s %8d %10d ", result.precision(), result.rows(), result.tokens());
      result
          .labels()
          .ifPresent(
              labels ->
                  out.printf(
                      Locale.ROOT,
                      "%10.4f %12.6f %12.6f %9s%n",
                      labels.agreement(),
                      labels.meanChange(),
                      labels.largestChange(),
                      labels
                          .accuracy()
                          .map(share -> String.format(Locale.ROOT, "%.4f", share))
                          .orElse("-")));
      result
          .perplexity()
          .ifPresent(
              perplexity ->
                  out.printf(
                      Locale.ROOT,
                      "%11.4f %9.3f%%%n",
                      perplexity.value(),
                      100 * perplexity.change()));
    }
    out.flush();
  }

  private static String line(QualityResult result) {
    ObjectNode line = JSON.createObjectNode();
    line.put("precision", result.precision());
    line.put("rows", result.rows()).put("tokens", result.tokens());
    result
        .labels()
        .ifPresent(
            labels -> {
              line.put("agreement", labels.agreement());
              line.put("mean_change", labels.meanChange());
              line.put("largest_change", labels.largestChange());
              labels.accuracy().ifPresent(share -> line.put("accuracy", share));
            });
    result
        .perplexity()
        .ifPresent(
            perplexity -> {
              line.put("perplexity", perplexity.value());
              line.put("perplexity_change", perplexity.change());
            });
    return line.toString();
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
