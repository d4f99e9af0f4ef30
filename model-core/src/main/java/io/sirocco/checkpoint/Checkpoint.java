package io.sirocco.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * An opened model folder: config.json and the weights of model.safetensors, or of the shards that
 * model.safetensors.index.json names; where there are neither, those of pytorch_model.bin or its
 * shards; or else params.json and the safetensors of a raw release of Mistral's. Files are mapped
 * when a tensor is first asked for, one mapping per tensor; nothing of them is copied, except
 * tensors of pickled files whose elements do not lie in order, and the query and key weights of raw
 * releases, whose rows change places. Immutable to its users.
 *
 * <p>Tensors have the names of Hugging Face's MistralForCausalLM or -SequenceClassification: the
 * prefix {@code model.} is added where a file, such as a bare MistralModel's, lacks it.
 */
public final class Checkpoint {
  private static final String LEFTOVER = ".rotary_emb.inv_freq";

  private final ModelFolder opened;
  private final Map<String, Tensor> mapped = new HashMap<>();
  private final Set<String> used = new TreeSet<>();

  private Checkpoint(ModelFolder opened) {
    this.opened = opened;
  }

  /**
   * Reads config.json and the headers of the weight files.
   *
   * @throws ModelException if the folder cannot be used; nothing of a pickled file is executed
   */
  public static Checkpoint open(Path folder) {
    return new Checkpoint(ModelFolder.read(folder));
  }

  /** The folder opened. */
  public Path folder() {
    return opened.folder();
  }

  /**
   * config.json, an object whose fields are not checked yet; of a raw release, what its params.json
   * says in those words.
   */
  public JsonNode config() {
    return opened.config();
  }

  /** The file that {@link #config} is from. */
  public Path configFile() {
    return opened.folder().resolve(opened.configName());
  }

  /**
   * Another JSON object of the folder, such as generation_config.json; empty if it has none of that
   * name.
   *
   * @throws ModelException if it cannot be read
   */
  public Optional<JsonNode> json(String name) {
    Path file = opened.folder().resolve(name);
    return Files.isRegularFile(file)
        ? Optional.of(Json.readObject(file, ModelFolder.MAX_JSON))
        : Optional.empty();
  }

  /**
   * A JSON array of the folder, such as modules.json; an empty one if it has none of that name.
   *
   * @throws ModelException if it cannot be read
   */
  public JsonNode jsonArray(String name) {
    Path file = opened.folder().resolve(name);
    return Files.isRegularFile(file)
        ? Json.readArray(file, ModelFolder.MAX_JSON)
        : JsonNodeFactory.instance.arrayNode();
  }

  /** The names of all tensors. */
  public Set<String> names() {
    return Set.copyOf(opened.places().keySet());
  }

  /**
   * Names of tensors that nobody has asked for: unknown ones, and what old releases left behind
   * ({@code rotary_emb.inv_freq}), which is not counted.
   */
  public synchronized List<String> ignored() {
    return opened.places().keySet().stream()
        .filter(name -> !used.contains(name) && !name.endsWith(LEFTOVER))
        .toList();
  }

  /** Bytes of the tensors that nobody has asked for, old releases' leftovers included. */
  public synchronized long ignoredBytes() {
    return opened.places().entrySet().stream()
        .filter(place -> !used.contains(place.getKey()))
        .mapToLong(place -> place.getValue().bytes())
        .sum();
  }

  /** Bytes of all tensors by the type of their elements, as safetensors spell it. */
  public Map<String, Long> bytesByType() {
    Map<String, Long> bytes = new TreeMap<>();
    opened
        .places()
        .values()
        .forEach(place -> bytes.merge(place.entry().type(), place.bytes(), Long::sum));
    return bytes;
  }

  /** How many files hold weights. */
  public int weightFiles() {
    return opened.weights().size();
  }

  /** Whether it is a raw release of Mistral's, opened as it is. */
  public boolean isRaw() {
    return opened.isRaw();
  }

  /** Bytes of all tensors. */
  public long bytes() {
    return opened.places().values().stream().mapToLong(TensorPlace::bytes).sum();
  }

  /** Bytes of those that are copied into this process's own memory. */
  public long copiedBytes() {
    return opened.places().values().stream().mapToLong(TensorPlace::copiedBytes).sum();
  }

  /**
   * The tensor of that name.
   *
   * @throws ModelException if it is there, but of a type or rank that no weight of Mistral has
   */
  public synchronized Optional<Tensor> find(String name) {
    TensorPlace place = opened.places().get(name);
    if (place == null) {
      return Optional.empty();
    }
    used.add(name);
    return Optional.of(mapped.computeIfAbsent(name, place::map));
  }

  /**
   * The tensor of that name and shape.
   *
   * @throws ModelException if it is missing, or other than config.json implies
   */
  public Tensor require(String name, long... shape) {
    Tensor tensor =
        find(name)
            .orElseThrow(
                () ->
                    new ModelException(
                        files(),
                        "tensor "
                            + name
                            + " is missing; config.json implies it with shape "
                            + Arrays.toString(shape)));
    if (!Arrays.equals(shape, tensor.shape().stream().mapToLong(Long::longValue).toArray())) {
      throw new ModelException(
          opened.places().get(name).fileName(),
          "tensor "
              + name
              + " has shape "
              + tensor.shape()
              + ", config.json implies "
              + Arrays.toString(shape));
    }
    return tensor;
  }

  /**
   * Tells this checkpoint from others: SHA-256, in hexadecimal, of its configuration, tokenizer and
   * template files, the headers and sizes of the weight files, and a sample of 4 KiB from the
   * beginning, the middle and the end of every tensor. A change of a few weights elsewhere goes
   * unnoticed; a fine-tuned, a requantised or a re-exported model does not.
   */
  public String fingerprint() {
    return Fingerprint.of(opened.folder(), opened.configName(), opened.weights());
  }

  /** Tells these weights, as they lie on this disk, from others; in hexadecimal digits. */
  public String weightsFingerprint() {
    return Fingerprint.ofWeights(opened.weights());
  }

  /** The files that hold weights, for messages. */
  public String files() {
    return opened.weights().size() == 1
        ? opened.weights().get(0).file().toString()
        : opened.folder().resolve(opened.index()).toString();
  }
}
