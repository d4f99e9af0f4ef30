package io.sirocco.spark.store;

import io.sirocco.checkpoint.ModelException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;

/** A model's folder on this host, which stays there until this is closed. */
public final class LocalModel implements AutoCloseable {
  private final Path folder;
  private final String source;
  private final long fetchedBytes;
  private final Runnable release;
  private final Map<String, LocalModel> adapters;
  private final AtomicBoolean closed = new AtomicBoolean();

  LocalModel(Path folder, String source, long fetchedBytes, Runnable release) {
    this(folder, source, fetchedBytes, release, Map.of());
  }

  private LocalModel(
      Path folder,
      String source,
      long fetchedBytes,
      Runnable release,
      Map<String, LocalModel> adapters) {
    this.folder = folder;
    this.source = source;
    this.fetchedBytes = fetchedBytes;
    this.release = release;
    this.adapters = Map.copyOf(adapters);
  }

  static LocalModel inPlace(String path) {
    return new LocalModel(Path.of(path), path, 0, () -> {});
  }

  /** Holds the files; nobody may change them. */
  public Path folder() {
    return folder;
  }

  /** The same model with adapters, which are closed with it. */
  LocalModel with(Map<String, LocalModel> opened) {
    long fetched = opened.values().stream().mapToLong(LocalModel::fetchedBytes).sum();
    return new LocalModel(folder, source, fetchedBytes + fetched, this::close, opened);
  }

  /** Folders of its adapters on this host, by their names. */
  public Map<String, String> adapterFolders() {
    Map<String, String> folders = new TreeMap<>();
    adapters.forEach((name, adapter) -> folders.put(name, adapter.folder().toString()));
    return folders;
  }

  /** What was read from elsewhere to make this copy complete; 0 if it was there. */
  public long fetchedBytes() {
    return fetchedBytes;
  }

  /** A problem with the copy's files, told with the model's own place as well. */
  public ModelException explained(ModelException problem) {
    ModelException told =
        source.equals(folder.toString())
            ? problem
            : Messages.at(problem, folder.toString(), source);
    for (LocalModel adapter : adapters.values()) {
      told = adapter.explained(told);
    }
    return told;
  }

  /** Idempotent. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      adapters.values().forEach(LocalModel::close);
      release.run();
    }
  }
}
