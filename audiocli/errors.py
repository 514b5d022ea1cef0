"""What can go wrong, as one tree; each class has the exit code that it ends the process with.

AudiocliError            1
├── UsageError           2   options that do not fit together, an unknown name, a missing extra
├── InputError           1   this input cannot be read
├── OutputError          1   this output cannot be written
├── TrainingError        1   a training that came to nothing, or not to its end
├── LibraryError         1   a library that is installed does not load
├── DeviceError          2   the device that was asked for is not here
└── ModelError           2   no such model, or one of another verb
    └── DownloadError    1   the model cannot be had, or what is here of it is damaged
"""


class AudiocliError(Exception):
    """Something that a user can mend; the message is one line and says what to do."""

    exit_code = 1


class UsageError(AudiocliError):
    """The command itself is wrong."""

    exit_code = 2


class InputError(AudiocliError):
    """One input cannot be read; the other inputs go on."""


class OutputError(AudiocliError):
    """One output cannot be written."""


class TrainingError(AudiocliError):
    """A training that came to nothing, or not to its end."""


class LibraryError(AudiocliError):
    """A library that is installed does not load on this machine, or not beside another one."""


class DeviceError(AudiocliError):
    """The device that was asked for does not exist on this machine."""

    exit_code = 2


class ModelError(AudiocliError):
    """No model goes by that name, or another verb takes it."""

    exit_code = 2


class DownloadError(ModelError):
    """The model exists and cannot be used here: no way to the hub, no access, or damaged files."""

    exit_code = 1
