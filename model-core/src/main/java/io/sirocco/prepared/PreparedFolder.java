package io.sirocco.prepared;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.kernel.NativeMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.memory.util.MemoryUtil;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Prepared weights in files, one for each, which all processes of the host map. A file is complete
 * when it appears and never changes; who comes while it is made waits. What an interrupted process
 * leaves is overwritten by the next.
 */
public final class PreparedFolder implements PreparedWeights {
  private static final Logger LOG = LoggerFactory.getLogger(PreparedFolder.class);
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]*");

  /** File locks are held by a JVM as a whole, so its threads need one of their own. */
  private static final Object MAKING = new Object();

  private final Path folder;
  private long madeBytes;
  private long madeNanos;

  private PreparedFolder(Path folder) {
    this.folder = folder;
  }

  /**
   * The files of one model; the folder is made if need be.
   *
   * @param root of all models' prepared weights, on a local disk
   * @param model tells it from others
   * @throws ModelException if the folder cannot be made
   */
  public static PreparedFolder open(Path root, String model) {
    if (!NAME.matcher(model).matches()) {
      throw new IllegalArgumentException("not a name for a folder: " + model);
    }
    Path folder = root.resolve(model);
    try {
      Files.createDirectories(folder.toAbsolutePath().getParent());
      makePrivate(folder);
    } catch (IOException e) {
      throw new ModelException(folder.toString(), "cannot hold prepared weights: " + e, e);
    }
    return new PreparedFolder(folder);
  }

  /** What others can write here, the model would compute with. */
  private static void makePrivate(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      try {
        Files.createDirectory(folder);
      } catch (FileAlreadyExistsException e) {
        LOG.debug("{} was made by another process at the same time", folder);
      }
    }
    PosixFileAttributeView posix = Files.getFileAttributeView(folder, PosixFileAttributeView.class);
    if (posix != null
        && posix.readAttributes().permissions().contains(PosixFilePermission.OTHERS_WRITE)) {
      throw new IOException("every user can write to it; take that right away");
    }
  }

  @Override
  public Bytes get(String name, long size, Maker maker) {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException("not a name for a file: " + name);
    }
    Path file = folder.resolve(name);
    try {
      Optional<Bytes> present = map(file, size);
      return present.isPresent() ? present.get() : makeOrWait(file, size, maker);
    } catch (IOException e) {
      throw new ModelException(
          file.toString(),
          "a prepared weight of %d bytes cannot be made here: %s; %s; make room, choose another folder, or use the weights as they are stored"
              .formatted(size, e, free()),
          e);
    }
  }

  @Override
  public Made made() {
    return new Made(madeBytes, madeNanos * 1e-9);
  }

  private static Optional<Bytes> map(Path file, long size) throws IOException {
    if (!Files.isRegularFile(file) || Files.size(file) != size) {
      return Optional.empty();
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      MappedByteBuffer mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, size);
      return Optional.of(new Bytes(MemoryUtil.getByteBufferAddress(mapped), mapped, 0));
    }
  }

  private Bytes makeOrWait(Path file, long size, Maker maker) throws IOException {
    synchronized (MAKING) {
      try (FileChannel lockFile =
              FileChannel.open(
                  folder.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
          FileLock lock = lockFile.lock()) {
        Optional<Bytes> present = map(file, size);
        if (present.isPresent()) {
          return present.get();
        }
        if (madeBytes == 0) {
          LOG.info("prepares weights in {}, once for this host", folder);
        }
        long start = System.nanoTime();
        make(file, size, maker);
        madeNanos += System.nanoTime() - start;
        madeBytes += size;
        LOG.debug("{} made under {}", file, lock);
        return map(file, size)
            .orElseThrow(() -> new IOException("what was written is not there any more"));
      }
    }
  }

  /**
   * Written from memory, not through a mapping: on a full disk a write fails, where touching a
   * mapping would kill, and a writable mapping would count as this process's own until it is gone.
   */
  private static void make(Path file, long size, Maker maker) throws IOException {
    Path partial = file.resolveSibling(file.getFileName() + ".partial");
    try (BufferAllocator allocator = new RootAllocator();
        ArrowBuf memory = NativeMemory.allocate(allocator, size);
        FileChannel channel =
            FileChannel.open(
                partial,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE)) {
      memory.setZero(0, size);
      ByteBuffer bytes = PreparedMemory.view(memory, size);
      maker.make(bytes);
      bytes.clear();
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    } catch (IOException | RuntimeException e) {
      Files.deleteIfExists(partial);
      throw e;
    }
    Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private String free() {
    try {
      return Files.getFileStore(folder).getUsableSpace() + " bytes are free";
    } catch (IOException e) {
      return "how much is free is unknown";
    }
  }

  @Override
  public void close() {
    // Mappings go with their buffers, which the weights keep.
  }
}
