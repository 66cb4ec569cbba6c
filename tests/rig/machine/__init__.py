# SPDX-License-Identifier: BSD-3-Clause
"""The rig's machines: one that is emulated, one that is this machine itself."""
