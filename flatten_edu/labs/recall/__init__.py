"""The lab `recall`: what can attention remember?"""
