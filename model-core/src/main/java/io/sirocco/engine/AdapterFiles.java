package io.sirocco.engine;

import io.sirocco.adapter.LoraAdapter;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.kernel.Kernels;
import io.sirocco.model.Adapter;
import io.sirocco.model.AdapterWeights;
import io.sirocco.model.MistralConfig;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Adapters' folders, opened and checked against the model: mapped, nothing read yet.
 *
 * @param options they are opened with
 * @param adapters by name
 * @param weights likewise
 */
record AdapterFiles(
    AdapterOptions options,
    SortedMap<String, LoraAdapter> adapters,
    SortedMap<String, AdapterWeights> weights) {

  /**
   * @throws ModelException naming the adapter, if one does not fit the model or the task
   */
  static AdapterFiles open(EngineOptions options, MistralConfig config) {
    SortedMap<String, LoraAdapter> adapters = new TreeMap<>();
    SortedMap<String, AdapterWeights> weights = new TreeMap<>();
    options
        .adapters()
        .folders()
        .forEach(
            (name, folder) -> {
              LoraAdapter adapter = LoraAdapter.open(Path.of(folder));
              requireTask(folder, adapter, options.task());
              adapters.put(name, adapter);
              weights.put(name, adapter.weights(config));
            });
    return new AdapterFiles(options.adapters(), adapters, weights);
  }

  private static void requireTask(String folder, LoraAdapter adapter, Task task) {
    if (adapter.classifies() && !(task instanceof Task.Classify)) {
      throw new ModelException(
          folder,
          "was trained as a classifier: it has a head of its own, which only task: classify uses;"
              + " change the task, or take an adapter that was trained for it");
    }
  }

  boolean isEmpty() {
    return adapters.isEmpty();
  }

  /** Whether each of them brings a classifier's head, and there is one at least. */
  boolean allClassify() {
    return !isEmpty() && adapters.values().stream().allMatch(LoraAdapter::classifies);
  }

  /** Whether no row can be without one. */
  boolean haveEveryRow() {
    return !options.everyRow().isEmpty();
  }

  int rank() {
    return weights.values().stream().mapToInt(AdapterWeights::rank).max().orElse(0);
  }

  /** Memory of this process that they take. */
  long preparedBytes() {
    return weights.values().stream().mapToLong(AdapterWeights::preparedBytes).sum();
  }

  /** The model's fingerprint with that of every adapter, and its name. */
  String fingerprint(String model) {
    if (isEmpty()) {
      return model;
    }
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      update(digest, model);
      update(digest, options.everyRow());
      fingerprints()
          .forEach(
              (name, fingerprint) -> {
                update(digest, name);
                update(digest, fingerprint);
              });
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** Behind its length, so that no two lists are the same bytes. */
  private static void update(MessageDigest digest, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).array());
    digest.update(bytes);
  }

  /** By name. */
  SortedMap<String, String> fingerprints() {
    SortedMap<String, String> fingerprints = new TreeMap<>();
    adapters.forEach((name, adapter) -> fingerprints.put(name, adapter.fingerprint()));
    return fingerprints;
  }

  /** In memory of the kernels, ready to compute. */
  OpenAdapters prepare(Kernels kernels) {
    Map<String, Adapter> prepared = new TreeMap<>();
    weights.forEach((name, mine) -> prepared.put(name, Adapter.of(mine, kernels)));
    return new OpenAdapters(Map.copyOf(prepared));
  }
}
