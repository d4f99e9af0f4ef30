package io.sirocco.spark.store;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.prepared.PreparedPlace;
import io.sirocco.prepared.PrivateFolder;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.UserPrincipal;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * The folders of a cache.
 *
 * <pre>
 * models/ID/     a complete model, with what is known of it in manifest.json
 * partial/ID/    one on its way: files/, the journal, manifest.json
 * prepared/ID/   prepared weights of a model, see {@link PreparedPlace}
 * trash/         what is being deleted
 * locks/ID.use   held shared by all that map the model, exclusively by who removes it
 * locks/ID.fetch held by who brings it here
 * locks/room     held by who makes room
 * </pre>
 *
 * @param root canonical, so that a lock has one name within the JVM
 */
record CacheFolder(Path root) {
  private static final String MODELS = "models";
  private static final String PARTIAL = "partial";
  private static final String LOCKS = "locks";
  private static final String TRASH = "trash";

  /**
   * Makes the folders, which only their owner can enter.
   *
   * @throws ModelException if they cannot be made, are not this user's, or are links
   */
  static CacheFolder open(Path folder) {
    try {
      if (!Files.isDirectory(folder)) {
        PrivateFolder.make(folder);
      }
      Path root = folder.toRealPath();
      for (String name : List.of(MODELS, PARTIAL, LOCKS, TRASH)) {
        PrivateFolder.make(root.resolve(name));
        requireOwn(root.resolve(name));
      }
      return new CacheFolder(root);
    } catch (IOException e) {
      throw new ModelException(
          folder.toString(),
          "cannot hold copies of models: "
              + e
              + "; set "
              + CacheSettings.DIR
              + " to a folder on a local disk that "
              + System.getProperty("user.name")
              + " can write to",
          e);
    }
  }

  /** Models that another user has put there are not trusted. */
  private static void requireOwn(Path folder) throws IOException {
    Path probe = Files.createTempFile(folder, "probe-", "");
    try {
      UserPrincipal self = Files.getOwner(probe);
      UserPrincipal owner = Files.getOwner(folder, LinkOption.NOFOLLOW_LINKS);
      if (!self.equals(owner)) {
        throw new IOException(folder + " belongs to " + owner.getName());
      }
    } finally {
      Files.deleteIfExists(probe);
    }
  }

  Path model(String id) {
    return root.resolve(MODELS).resolve(id);
  }

  Path partial(String id) {
    return root.resolve(PARTIAL).resolve(id);
  }

  /** Made by who prepares weights. */
  Path prepared() {
    return root.resolve(CacheSettings.PREPARED);
  }

  /**
   * Refuses a place of prepared weights from which nothing can be moved away.
   *
   * @throws IOException if it is a link or a file
   */
  void requirePrepared() throws IOException {
    if (Files.exists(prepared(), LinkOption.NOFOLLOW_LINKS)) {
      PrivateFolder.requireReal(prepared());
    }
  }

  /** Of what is prepared in this folder, rather than where a link leads to. */
  List<PreparedPlace> preparedPlaces() throws IOException {
    return Files.isDirectory(prepared(), LinkOption.NOFOLLOW_LINKS)
        ? PreparedPlace.in(prepared())
        : List.of();
  }

  Path useLock(String id) {
    return root.resolve(LOCKS).resolve(id + ".use");
  }

  Path fetchLock(String id) {
    return root.resolve(LOCKS).resolve(id + ".fetch");
  }

  Path roomLock() {
    return root.resolve(LOCKS).resolve("room");
  }

  /** Ids of the complete models. */
  List<String> models() throws IOException {
    return names(root.resolve(MODELS));
  }

  /** Ids of the models on their way. */
  List<String> partials() throws IOException {
    return names(root.resolve(PARTIAL));
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries
          .filter(entry -> Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS))
          .map(entry -> String.valueOf(entry.getFileName()))
          .sorted()
          .toList();
    }
  }

  /** Deletes a folder in a way that leaves no half of it behind under its name. */
  void remove(Path folder) throws IOException {
    if (Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      Path trash = root.resolve(TRASH).resolve(UUID.randomUUID().toString());
      Files.move(folder, trash, StandardCopyOption.ATOMIC_MOVE);
      delete(trash);
    }
  }

  /** Deletes what processes that were killed while they deleted have left. */
  void emptyTrash() throws IOException {
    for (String name : names(root.resolve(TRASH))) {
      delete(root.resolve(TRASH).resolve(name));
    }
  }

  /** Others may be deleting the same. */
  private static void delete(Path folder) throws IOException {
    try {
      Files.walkFileTree(
          folder,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.deleteIfExists(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, IOException problem)
                throws IOException {
              Files.deleteIfExists(visited);
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (NoSuchFileException e) {
      // Somebody else was faster.
    }
  }

  /** Makes the names in a folder survive a crash of the machine. */
  static void sync(Path folder) throws IOException {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}
