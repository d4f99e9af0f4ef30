package io.sirocco.spark.store;

import io.sirocco.checkpoint.ModelException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;

/** A model's folder on this host, which stays there until this is closed. */
public final class LocalModel implements AutoCloseable {
  private final Path folder;
  private final String source;
  private final long fetchedBytes;
  private final Runnable release;
  private final AtomicBoolean closed = new AtomicBoolean();

  LocalModel(Path folder, String source, long fetchedBytes, Runnable release) {
    this.folder = folder;
    this.source = source;
    this.fetchedBytes = fetchedBytes;
    this.release = release;
  }

  static LocalModel inPlace(String path) {
    return new LocalModel(Path.of(path), path, 0, () -> {});
  }

  /** Holds the files; nobody may change them. */
  public Path folder() {
    return folder;
  }

  /** What was read from elsewhere to make this copy complete; 0 if it was there. */
  public long fetchedBytes() {
    return fetchedBytes;
  }

  /** A problem with the copy's files, told with the model's own place as well. */
  public ModelException explained(ModelException problem) {
    return source.equals(folder.toString())
        ? problem
        : Messages.at(problem, folder.toString(), source);
  }

  /** Idempotent. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      release.run();
    }
  }
}
