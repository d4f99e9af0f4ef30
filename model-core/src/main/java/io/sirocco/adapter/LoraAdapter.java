package io.sirocco.adapter;

import io.sirocco.checkpoint.Json;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.Tensor;
import io.sirocco.checkpoint.TensorFile;
import io.sirocco.checkpoint.WeightFiles;
import io.sirocco.model.AdapterWeights;
import io.sirocco.model.MistralConfig;
import io.sirocco.model.Projection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The folder of a LoRA adapter as PEFT's save_pretrained writes it: adapter_config.json, and
 * adapter_model.safetensors or adapter_model.bin, of which nothing is executed. Immutable.
 */
public final class LoraAdapter {
  private static final String CONFIG = WeightFiles.ADAPTER_CONFIG;
  private static final long MAX_CONFIG = 4L << 20;

  private final AdapterConfig config;
  private final TensorFile file;
  private final AdapterTensors tensors;

  private LoraAdapter(AdapterConfig config, TensorFile file, AdapterTensors tensors) {
    this.config = config;
    this.file = file;
    this.tensors = tensors;
  }

  /**
   * Reads the config and the header of the weights.
   *
   * @throws ModelException if the folder holds no LoRA adapter, is damaged, or asks for what is not
   *     supported
   */
  public static LoraAdapter open(Path folder) {
    Path configFile = folder.resolve(CONFIG);
    if (!Files.isRegularFile(configFile)) {
      throw new ModelException(
          configFile.toString(), "is missing; expected the folder of a LoRA adapter");
    }
    AdapterConfig config =
        AdapterConfig.parse(Json.readObject(configFile, MAX_CONFIG), configFile.toString());
    TensorFile file = TensorFile.open(folder, WeightFiles.adapterPlaces());
    AdapterTensors tensors = AdapterTensors.of(file);
    LoraAdapter adapter = new LoraAdapter(config, file, tensors);
    adapter.requireAgreementOnScore();
    Steps steps = adapter.steps();
    tensors
        .layers()
        .forEach(
            (layer, modules) ->
                modules.keySet().forEach(module -> adapter.requireBranch(layer, module, steps)));
    return adapter;
  }

  private Steps steps() {
    return new Steps(config.where());
  }

  private void requireAgreementOnScore() {
    if (config.classifier() && tensors.score().isEmpty()) {
      throw new ModelException(
          file.file().toString(),
          "lacks the classifier's weight, base_model.model.score.weight, which modules_to_save or"
              + " task_type of adapter_config.json say was trained");
    }
    if (!config.classifier() && tensors.score().isPresent()) {
      throw new ModelException(
          file.file() + ": tensor " + tensors.score().get(),
          "is there, but modules_to_save of adapter_config.json does not have score");
    }
  }

  /** A and B are both there, of one rank, and the config says so. */
  private void requireBranch(int layer, Projection projection, Steps steps) {
    AdapterTensors.Names names = tensors.names(layer, projection).orElseThrow();
    ModulePattern.Text module = new ModulePattern.Text(tensors.module(layer, projection), steps);
    String where = file.file() + ": module " + module.name();
    if (names.a().isEmpty() || names.b().isEmpty()) {
      throw new ModelException(
          where, "has lora_" + (names.a().isEmpty() ? "B" : "A") + " without its counterpart");
    }
    if (!config.targets(module, layer)) {
      throw new ModelException(
          where, "has tensors, but is not among target_modules of adapter_config.json");
    }
    long rank = config.rank(module);
    requireRank(names.a(), 0, rank);
    requireRank(names.b(), 1, rank);
  }

  private void requireRank(String name, int dimension, long rank) {
    List<Long> shape = file.shape(name);
    if (shape.size() != 2 || shape.get(dimension) != rank) {
      throw new ModelException(
          file.file() + ": tensor " + name,
          "has shape " + shape + "; adapter_config.json implies rank " + rank);
    }
  }

  /** Whether it brings the weight of a classifier's head. */
  public boolean classifies() {
    return tensors.score().isPresent();
  }

  /** The file of its weights. */
  public Path file() {
    return file.file();
  }

  /** Bytes of its tensors. */
  public long bytes() {
    return file.bytes();
  }

  /** The same by the type of their elements, as safetensors spell it. */
  public Map<String, Long> bytesByType() {
    return file.bytesByType();
  }

  /** Tells it from others: as a model's fingerprint, of config and weights. */
  public String fingerprint() {
    return file.fingerprint(List.of(CONFIG));
  }

  /**
   * Its weights for a model.
   *
   * @throws ModelException if a module that it targets in this model lacks tensors, or a tensor has
   *     another shape than the model's config implies
   */
  public AdapterWeights weights(MistralConfig model) {
    int layers = model.numHiddenLayers();
    if (!tensors.layers().isEmpty() && tensors.layers().lastKey() >= layers) {
      throw new ModelException(
          file.file().toString(),
          "has tensors of layer %d, but the model has %d layers: it was trained on another"
              .formatted(tensors.layers().lastKey(), layers));
    }
    Steps steps = steps();
    List<Map<Projection, AdapterWeights.Branch>> branches = new ArrayList<>();
    for (int layer = 0; layer < layers; layer++) {
      Map<Projection, AdapterWeights.Branch> ofLayer = new EnumMap<>(Projection.class);
      for (Projection projection : Projection.values()) {
        ModulePattern.Text module =
            new ModulePattern.Text(tensors.module(layer, projection), steps);
        if (config.targets(module, layer)) {
          ofLayer.put(projection, branch(layer, projection, module, model));
        }
      }
      branches.add(ofLayer);
    }
    if (branches.stream().allMatch(Map::isEmpty)) {
      throw new ModelException(config.where(), "target_modules names no linear layer of a Mistral");
    }
    return new AdapterWeights(branches, score(model));
  }

  private AdapterWeights.Branch branch(
      int layer, Projection projection, ModulePattern.Text module, MistralConfig model) {
    AdapterTensors.Names names =
        tensors
            .names(layer, projection)
            .orElseThrow(
                () ->
                    new ModelException(
                        file.file().toString(),
                        "has no tensors of "
                            + module.name()
                            + ", which target_modules of adapter_config.json includes"));
    int rank = config.rank(module);
    float scaling = config.scaling(module, rank);
    if (!Float.isFinite(scaling)) {
      throw new ModelException(
          config.where(), "the scaling of " + module.name() + " is " + scaling);
    }
    return new AdapterWeights.Branch(
        require(names.a(), rank, projection.inputs(model)),
        require(names.b(), projection.outputs(model), rank),
        scaling);
  }

  private Optional<Tensor> score(MistralConfig model) {
    int labels = model.labels().names().size();
    return tensors.score().map(name -> require(name, labels, model.hiddenSize()));
  }

  private Tensor require(String name, long rows, long columns) {
    Tensor tensor = file.find(name).orElseThrow();
    if (!tensor.shape().equals(List.of(rows, columns))) {
      boolean labels = tensors.score().filter(name::equals).isPresent();
      throw new ModelException(
          file.file() + ": tensor " + name,
          "has shape "
              + tensor.shape()
              + ", the model's config.json implies "
              + Arrays.toString(new long[] {rows, columns})
              + (labels
                  ? "; set id2label there to the labels that the adapter was trained with"
                  : "; the adapter was trained on another model"));
    }
    return tensor;
  }

  /** Rank, scaling and modules, in one line for people. */
  public String description() {
    Set<Projection> modules = EnumSet.noneOf(Projection.class);
    tensors.layers().values().forEach(layer -> modules.addAll(layer.keySet()));
    return "LoRA of rank %d%s, alpha %s%s, on %s of %d layers%s"
        .formatted(
            config.rank(),
            config.ranks().isEmpty() ? "" : " and others",
            number(config.alpha()),
            (config.alphas().isEmpty() ? "" : " and others") + (config.rslora() ? ", rslora" : ""),
            modules.stream()
                .map(module -> module.module().replaceFirst(".*\\.", ""))
                .collect(Collectors.joining(", ")),
            tensors.layers().size(),
            classifies() ? ", with a classifier's head" : "");
  }

  private static String number(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e9
        ? Long.toString((long) value)
        : Double.toString(value);
  }

  /** What it was trained for, as PEFT spells it, such as SEQ_CLS. */
  public Optional<String> taskType() {
    return config.taskType();
  }
}
