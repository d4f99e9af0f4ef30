package io.sirocco.spark.store;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.WeightFiles;
import io.sirocco.checkpoint.WeightFiles.Part;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;

/**
 * As much of a remote model as planning reads, in a folder of its own: the small files whole; of
 * the weight files, which have their full size but are empty otherwise, the headers and what a
 * fingerprint samples; with the times that the files of a copy have. An engine can be opened on it,
 * but not compute.
 */
public final class ModelOutline implements AutoCloseable {
  private static final long MAX_SMALL_FILE = 256L << 20;

  /** Between two parts, below which both are read at once. */
  private static final long NEAR = 1 << 16;

  /** Of parts read at once. */
  private static final int MAX_JOINED = 1 << 22;

  /** Each part is a request of its own, which takes far longer than its bytes. */
  private static final int THREADS = 8;

  private final ModelManifest manifest;
  private final Path folder;
  private final AtomicLong bytesRead = new AtomicLong();

  private ModelOutline(ModelManifest manifest, Path folder) {
    this.manifest = manifest;
    this.folder = folder;
  }

  /**
   * Makes the folder, in the JVM's temporary folder.
   *
   * @throws ModelException if the model cannot be read, has a damaged header, or changed since its
   *     manifest was made
   */
  public static ModelOutline open(ModelManifest manifest, Configuration hadoop) {
    ModelOutline outline = null;
    try (RemoteModel remote = RemoteModel.open(manifest.source(), hadoop)) {
      outline = new ModelOutline(manifest, Files.createTempDirectory("sirocco-outline-"));
      outline.fill(remote);
      remote.requireUnchanged(manifest);
      ModelOutline complete = outline;
      outline = null;
      return complete;
    } catch (IOException e) {
      throw new ModelException(manifest.source(), "cannot be read: " + e, e);
    } catch (ModelException e) {
      throw outline == null ? e : outline.explained(e);
    } finally {
      if (outline != null) {
        outline.close();
      }
    }
  }

  /** What it is an outline of. */
  public ModelManifest manifest() {
    return manifest;
  }

  /** Holds the files. */
  public Path folder() {
    return folder;
  }

  /** From the remote file system. */
  public long bytesRead() {
    return bytesRead.get();
  }

  /** A problem with the outline's files, told of the model's. */
  public ModelException explained(ModelException problem) {
    return Messages.at(problem, folder.toString(), manifest.source());
  }

  private void fill(RemoteModel remote) throws IOException {
    for (ModelFile file : manifest.files()) {
      Path local = folder.resolve(file.name());
      Files.createDirectories(local.getParent());
      if (file.isWeights()) {
        outline(remote, file, local);
      } else {
        copy(remote, file, local);
      }
      file.setContentTime(local);
    }
  }

  private void copy(RemoteModel remote, ModelFile file, Path local) throws IOException {
    String where = remote.where(file.name());
    if (file.size() > MAX_SMALL_FILE) {
      throw new ModelException(
          where, "holds " + file.size() + " bytes, expected at most " + MAX_SMALL_FILE);
    }
    try (FSDataInputStream in = remote.open(file.name())) {
      Files.write(local, read(in, where, new Part(0, (int) file.size())));
    }
    if (!file.sha256().isEmpty()) {
      Sha256Sums.require(where, file.sha256(), Digests.sha256(local));
    }
  }

  private void outline(RemoteModel remote, ModelFile file, Path local) throws IOException {
    try (RandomAccessFile whole = new RandomAccessFile(local.toFile(), "rw")) {
      whole.setLength(file.size());
    }
    try (FileChannel out = FileChannel.open(local, StandardOpenOption.WRITE)) {
      List<Part> samples;
      try (FSDataInputStream in = remote.open(file.name())) {
        String where = remote.where(file.name());
        RemoteBytes bytes = new RemoteBytes(in, out, where, file.size(), bytesRead);
        samples =
            WeightFiles.samples(local, bytes).stream().filter(part -> !bytes.has(part)).toList();
      }
      sample(remote, file, joined(samples), out);
    }
  }

  /** Those that lie near each other in one. */
  private static List<Part> joined(List<Part> parts) {
    List<Part> joined = new ArrayList<>();
    for (Part part : parts) {
      int last = joined.size() - 1;
      long end = last < 0 ? 0 : joined.get(last).offset() + joined.get(last).size();
      long from = last < 0 ? 0 : joined.get(last).offset();
      if (last >= 0
          && part.offset() - end < NEAR
          && part.offset() + part.size() - from < MAX_JOINED) {
        long to = Math.max(end, part.offset() + part.size());
        joined.set(last, new Part(from, Math.toIntExact(to - from)));
      } else {
        joined.add(part);
      }
    }
    return joined;
  }

  private void sample(RemoteModel remote, ModelFile file, List<Part> parts, FileChannel out)
      throws IOException {
    Queue<Part> open = new ConcurrentLinkedQueue<>(parts);
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    try {
      List<Future<?>> ends = new ArrayList<>();
      for (int i = 0; i < Math.min(THREADS, parts.size()); i++) {
        ends.add(
            threads.submit(
                () -> {
                  try (FSDataInputStream in = remote.open(file.name())) {
                    for (Part part = open.poll(); part != null; part = open.poll()) {
                      write(out, read(in, remote.where(file.name()), part), part.offset());
                    }
                  }
                  return null;
                }));
      }
      for (Future<?> end : ends) {
        end.get();
      }
    } catch (ExecutionException e) {
      throw Download.asOwn(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while a model was read", e);
    } finally {
      open.clear();
      threads.shutdown();
    }
  }

  private byte[] read(FSDataInputStream in, String where, Part part) throws IOException {
    bytesRead.addAndGet(part.size());
    return RemoteModel.read(in, where, part.offset(), part.size());
  }

  static void write(FileChannel out, byte[] bytes, long offset) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    for (long at = offset; buffer.hasRemaining(); ) {
      at += out.write(buffer, at);
    }
  }

  /** Deletes the folder; idempotent. */
  @Override
  public void close() {
    try (Stream<Path> files = Files.exists(folder) ? Files.walk(folder) : Stream.empty()) {
      for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new ModelException(folder.toString(), "cannot be deleted: " + e, e);
    }
  }
}
