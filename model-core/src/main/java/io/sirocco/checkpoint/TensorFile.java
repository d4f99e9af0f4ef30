package io.sirocco.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * One file of tensors that is no model by itself, such as an adapter's: safetensors, or pickled,
 * nothing of which is executed. A tensor is mapped when it is asked for. Immutable.
 */
public final class TensorFile {
  private final WeightFile weights;
  private final TreeMap<String, WeightFile.Entry> entries = new TreeMap<>();

  private TensorFile(WeightFile weights) {
    this.weights = weights;
    for (WeightFile.Entry entry : weights.entries()) {
      if (entries.put(entry.name(), entry) != null) {
        throw new ModelException(weights.file() + ": tensor " + entry.name(), "is there twice");
      }
    }
  }

  /**
   * Reads the header of the first of these files that the folder has.
   *
   * @param names in the order of preference
   * @throws ModelException if it has none of them, or the file is damaged
   */
  public static TensorFile open(Path folder, List<String> names) {
    Path file =
        names.stream()
            .map(folder::resolve)
            .filter(Files::isRegularFile)
            .findFirst()
            .orElseThrow(
                () ->
                    new ModelException(
                        folder.toString(),
                        "holds no weights; expected one of " + String.join(", ", names)));
    try {
      return new TensorFile(WeightFile.read(file));
    } catch (IOException e) {
      throw new ModelException(file.toString(), "cannot be read: " + e, e);
    }
  }

  /** The file itself. */
  public Path file() {
    return weights.file();
  }

  /** The names of all tensors, as the file has them. */
  public Set<String> names() {
    return Set.copyOf(entries.keySet());
  }

  /** Bytes of all tensors. */
  public long bytes() {
    return entries.values().stream().mapToLong(WeightFile.Entry::size).sum();
  }

  /** The shape of a tensor of {@link #names}. */
  public List<Long> shape(String name) {
    return entries.get(name).shape();
  }

  /** Bytes of all tensors by the type of their elements, as safetensors spell it. */
  public Map<String, Long> bytesByType() {
    Map<String, Long> bytes = new TreeMap<>();
    entries.values().forEach(entry -> bytes.merge(entry.type(), entry.size(), Long::sum));
    return bytes;
  }

  /**
   * The tensor of that name, if the file has it.
   *
   * @throws ModelException if it is of a type or rank that no weight of Mistral has
   */
  public Optional<Tensor> find(String name) {
    return Optional.ofNullable(entries.get(name))
        .map(entry -> TensorPlace.of(weights.file(), entry).map(name));
  }

  /**
   * Tells this file, and the small ones beside it that say what it means, from others: as {@link
   * Checkpoint#fingerprint}, by sizes, headers and samples of every tensor.
   *
   * @param small files of its folder that are read whole, where they are
   */
  public String fingerprint(List<String> small) {
    return Fingerprint.of(weights.file().toAbsolutePath().getParent(), small, List.of(weights));
  }
}
